package dev.kumihimo.lincheck;

import dev.kumihimo.channel.ChannelClosedException;
import java.util.ArrayDeque;
import java.util.List;

/** A channel: a buffer, and first-in-first-out queues of those who wait. */
class ChannelModel extends WaitingModel {
    private record Sender(int ticket, Object item) {}

    private final int capacity;
    private final ArrayDeque<Object> buffer;
    private final ArrayDeque<Integer> receivers;
    private final ArrayDeque<Sender> senders;
    private boolean closed;

    ChannelModel(int capacity) {
        this.capacity = capacity;
        buffer = new ArrayDeque<>();
        receivers = new ArrayDeque<>();
        senders = new ArrayDeque<>();
    }

    private ChannelModel(ChannelModel from) {
        super(from);
        capacity = from.capacity;
        buffer = from.buffer.clone();
        receivers = from.receivers.clone();
        senders = from.senders.clone();
        closed = from.closed;
    }

    @Override
    WaitingModel copy() {
        return new ChannelModel(this);
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "send" -> send(ticket, arguments.get(0), false);
            case "trySend" -> send(ticket, arguments.get(0), true);
            case "receive" -> receive(ticket, false);
            case "tryReceive" -> receive(ticket, true);
            case "close" -> close();
            default -> throw new IllegalArgumentException(operation);
        };
    }

    private Object send(int ticket, Object item, boolean now) {
        if (closed) {
            return ChannelClosedException.class;
        }
        Integer receiver = receivers.poll();
        if (receiver != null) {
            complete(receiver, item);
        } else if (buffer.size() < capacity) {
            buffer.add(item);
        } else if (now) {
            return false;
        } else {
            senders.add(new Sender(ticket, item));
            return WAITS;
        }
        return true;
    }

    private Object receive(int ticket, boolean now) {
        Object item = buffer.poll();
        Sender sender = senders.poll();
        if (sender != null) {
            complete(sender.ticket(), true);
            if (item == null) {
                return sender.item();
            }
            buffer.add(sender.item());
        }
        if (item != null) {
            return item;
        }
        if (closed) {
            return ChannelClosedException.class;
        }
        if (now) {
            return ChannelOperations.NOTHING;
        }
        receivers.add(ticket);
        return WAITS;
    }

    private Object close() {
        closed = true;
        receivers.forEach(receiver -> complete(receiver, ChannelClosedException.class));
        senders.forEach(sender -> complete(sender.ticket(), ChannelClosedException.class));
        receivers.clear();
        senders.clear();
        return true;
    }

    @Override
    void giveUp(int ticket) {
        receivers.remove(ticket);
        senders.removeIf(sender -> sender.ticket() == ticket);
    }

    static final class Rendezvous extends ChannelModel {
        Rendezvous() {
            super(0);
        }
    }

    static final class One extends ChannelModel {
        One() {
            super(1);
        }
    }

    static final class Two extends ChannelModel {
        Two() {
            super(2);
        }
    }

    static final class Unbounded extends ChannelModel {
        Unbounded() {
            super(Integer.MAX_VALUE);
        }
    }
}
