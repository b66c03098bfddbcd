package dev.kumihimo.lincheck;

import dev.kumihimo.channel.ChannelClosedException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** What a watch and a broadcast have in common: two receivers, each with a queue of those who wait through it. */
abstract class ReceiversModel extends WaitingModel {
    static final int RECEIVERS = 2;

    final List<ArrayDeque<Integer>> waiters = new ArrayList<>();
    final boolean[] gone;
    boolean closed;
    private final ArrayDeque<Integer> deserted;

    ReceiversModel() {
        gone = new boolean[RECEIVERS];
        deserted = new ArrayDeque<>();
        for (int i = 0; i < RECEIVERS; i++) {
            waiters.add(new ArrayDeque<>());
        }
    }

    ReceiversModel(ReceiversModel from) {
        super(from);
        from.waiters.forEach(queue -> waiters.add(queue.clone()));
        gone = from.gone.clone();
        closed = from.closed;
        deserted = from.deserted.clone();
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "awaitNoReceivers" -> receivers() == 0 || !deserted.add(ticket) ? true : WAITS;
            case "closeReceiver" -> closeReceiver((int) arguments.get(0));
            case "close" -> close();
            default -> throw new IllegalArgumentException(operation);
        };
    }

    final int receivers() {
        int open = 0;
        for (boolean closed : gone) {
            open += closed ? 0 : 1;
        }
        return open;
    }

    boolean closeReceiver(int receiver) {
        gone[receiver] = true;
        completeAll(waiters.get(receiver), IllegalStateException.class);
        if (receivers() == 0) {
            completeAll(deserted, true);
        }
        return true;
    }

    boolean close() {
        closed = true;
        waiters.forEach(queue -> completeAll(queue, ChannelClosedException.class));
        return true;
    }

    /** Goes on with a receive that finds nothing. */
    final Object waitOrEnd(int ticket, int receiver, boolean now) {
        if (closed) {
            return ChannelClosedException.class;
        }
        if (now) {
            return ChannelOperations.NOTHING;
        }
        waiters.get(receiver).add(ticket);
        return WAITS;
    }

    @Override
    void giveUp(int ticket) {
        waiters.forEach(queue -> queue.remove(ticket));
        deserted.remove(ticket);
    }
}
