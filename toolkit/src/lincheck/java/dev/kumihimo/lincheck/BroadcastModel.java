package dev.kumihimo.lincheck;

import dev.kumihimo.channel.ChannelClosedException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A broadcast: for each receiver what it has not read, of which the oldest is missed if there is too much of it. */
class BroadcastModel extends ReceiversModel {
    /** The receiver that is told what it missed by a listener, together with the item that comes next. */
    static final int LISTENING = 1;

    private record Sender(int ticket, Object item) {}

    private final int capacity;
    private final boolean backpressured;
    private final List<ArrayDeque<Object>> unread = new ArrayList<>();
    private final int[] missed;
    private final ArrayDeque<Sender> senders;

    BroadcastModel(int capacity, boolean backpressured) {
        this.capacity = capacity;
        this.backpressured = backpressured;
        missed = new int[RECEIVERS];
        senders = new ArrayDeque<>();
        for (int i = 0; i < RECEIVERS; i++) {
            unread.add(new ArrayDeque<>());
        }
    }

    private BroadcastModel(BroadcastModel from) {
        super(from);
        capacity = from.capacity;
        backpressured = from.backpressured;
        from.unread.forEach(items -> unread.add(items.clone()));
        missed = from.missed.clone();
        senders = from.senders.clone();
    }

    @Override
    WaitingModel copy() {
        return new BroadcastModel(this);
    }

    /** What a receive returns that goes on after a gap. */
    static String after(long missed, Object item) {
        return item + " after " + missed + " missed";
    }

    /** What a receive tells of a gap, if nobody listens. */
    static String missed(long missed) {
        return missed + " missed";
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "send" -> send(ticket, arguments.get(0));
            case "receive" -> receive(ticket, (int) arguments.get(0), false);
            case "tryReceive" -> receive(ticket, (int) arguments.get(0), true);
            case "size" ->
                (long) missed[(int) arguments.get(0)]
                        + unread.get((int) arguments.get(0)).size();
            default -> super.begin(ticket, operation, arguments);
        };
    }

    private Object send(int ticket, Object item) {
        if (closed) {
            return ChannelClosedException.class;
        }
        if (backpressured && isFull()) {
            senders.add(new Sender(ticket, item));
            return WAITS;
        }
        return deliver(item);
    }

    private boolean isFull() {
        return unread.stream().anyMatch(items -> items.size() == capacity);
    }

    private int deliver(Object item) {
        for (int receiver = 0; receiver < RECEIVERS; receiver++) {
            Integer waiter = waiters.get(receiver).poll();
            if (waiter != null) {
                complete(waiter, item);
            } else if (!gone[receiver]) {
                keep(receiver, item);
            }
        }
        return receivers();
    }

    private void keep(int receiver, Object item) {
        ArrayDeque<Object> items = unread.get(receiver);
        items.add(item);
        if (items.size() > capacity) {
            items.poll();
            missed[receiver]++;
        }
    }

    private void admit() {
        while (!senders.isEmpty() && !isFull()) {
            Sender sender = senders.poll();
            complete(sender.ticket(), deliver(sender.item()));
        }
    }

    private Object receive(int ticket, int receiver, boolean now) {
        if (gone[receiver]) {
            return IllegalStateException.class;
        }
        int gap = missed[receiver];
        missed[receiver] = 0;
        if (gap > 0 && receiver != LISTENING) {
            return missed(gap);
        }
        Object item = unread.get(receiver).poll();
        if (item == null) {
            return waitOrEnd(ticket, receiver, now);
        }
        admit();
        return gap > 0 ? after(gap, item) : item;
    }

    @Override
    boolean closeReceiver(int receiver) {
        super.closeReceiver(receiver);
        unread.get(receiver).clear();
        missed[receiver] = 0;
        admit();
        return true;
    }

    @Override
    boolean close() {
        senders.forEach(sender -> complete(sender.ticket(), ChannelClosedException.class));
        senders.clear();
        return super.close();
    }

    @Override
    void giveUp(int ticket) {
        super.giveUp(ticket);
        senders.removeIf(sender -> sender.ticket() == ticket);
    }

    static final class Lagging extends BroadcastModel {
        Lagging() {
            super(2, false);
        }
    }

    static final class Backpressured extends BroadcastModel {
        Backpressured() {
            super(1, true);
        }
    }
}
