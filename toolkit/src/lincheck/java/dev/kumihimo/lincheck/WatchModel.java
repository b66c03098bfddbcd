package dev.kumihimo.lincheck;

import dev.kumihimo.channel.ChannelClosedException;
import java.util.List;

/** A watch: a value, and which receivers have yet to see it. */
final class WatchModel extends ReceiversModel {
    static final int INITIAL = 100;

    private final boolean[] unseen;
    private Object value = INITIAL;

    WatchModel() {
        unseen = new boolean[RECEIVERS];
    }

    private WatchModel(WatchModel from) {
        super(from);
        unseen = from.unseen.clone();
        value = from.value;
    }

    @Override
    WaitingModel copy() {
        return new WatchModel(this);
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "value" -> value;
            case "send" -> closed ? ChannelClosedException.class : receivers() > 0 && store(arguments.get(0));
            case "sendReplace" -> replace(arguments.get(0));
            case "increase" -> closed ? ChannelClosedException.class : increased();
            case "changed" -> changed(ticket, (int) arguments.get(0), false);
            case "tryChanged" -> changed(ticket, (int) arguments.get(0), true);
            case "valueAndMarkSeen" -> markSeen((int) arguments.get(0));
            case "markChanged" -> markChanged((int) arguments.get(0));
            default -> super.begin(ticket, operation, arguments);
        };
    }

    private Object replace(Object item) {
        Object replaced = value;
        return closed ? ChannelClosedException.class : store(item) ? replaced : null;
    }

    private Object increased() {
        store((int) value + 1);
        return value;
    }

    private boolean store(Object item) {
        value = item;
        for (int receiver = 0; receiver < RECEIVERS; receiver++) {
            tell(receiver);
        }
        return true;
    }

    /** All who wait through a receiver see the value, or else it is kept for the next that asks. */
    private void tell(int receiver) {
        unseen[receiver] = waiters.get(receiver).isEmpty();
        completeAll(waiters.get(receiver), value);
    }

    private Object changed(int ticket, int receiver, boolean now) {
        return !gone[receiver] && !unseen[receiver] ? waitOrEnd(ticket, receiver, now) : markSeen(receiver);
    }

    private Object markSeen(int receiver) {
        unseen[receiver] = false;
        return gone[receiver] ? IllegalStateException.class : value;
    }

    private Object markChanged(int receiver) {
        if (gone[receiver]) {
            return IllegalStateException.class;
        }
        tell(receiver);
        return true;
    }
}
