package dev.kumihimo.lincheck;

import dev.kumihimo.channel.ChannelClosedException;
import java.util.ArrayDeque;
import java.util.List;

/** A oneshot: one value for the first that receives, and an end for all others. */
final class OneshotModel extends WaitingModel {
    private final ArrayDeque<Integer> receivers;
    private final ArrayDeque<Integer> closeWaiters;
    private Object value;
    private boolean closed;
    private boolean received;

    OneshotModel() {
        receivers = new ArrayDeque<>();
        closeWaiters = new ArrayDeque<>();
    }

    private OneshotModel(OneshotModel from) {
        super(from);
        receivers = from.receivers.clone();
        closeWaiters = from.closeWaiters.clone();
        value = from.value;
        closed = from.closed;
        received = from.received;
    }

    @Override
    WaitingModel copy() {
        return new OneshotModel(this);
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "send" -> send(arguments.get(0));
            case "receive" -> receive(ticket, false);
            case "tryReceive" -> receive(ticket, true);
            case "close" -> close();
            case "isClosed" -> isOver();
            case "awaitClosed" -> isOver() || !closeWaiters.add(ticket) ? true : WAITS;
            default -> throw new IllegalArgumentException(operation);
        };
    }

    private boolean isOver() {
        return closed || received;
    }

    private boolean send(Object item) {
        if (isOver() || value != null) {
            return false;
        }
        Integer receiver = receivers.poll();
        if (receiver == null) {
            value = item;
        } else {
            complete(receiver, item);
            end();
        }
        return true;
    }

    private Object receive(int ticket, boolean now) {
        if (value != null) {
            Object taken = value;
            value = null;
            end();
            return taken;
        }
        if (isOver()) {
            return ChannelClosedException.class;
        }
        if (now) {
            return ChannelOperations.NOTHING;
        }
        receivers.add(ticket);
        return WAITS;
    }

    private void end() {
        received = true;
        completeAll(receivers, ChannelClosedException.class);
        completeAll(closeWaiters, true);
    }

    private boolean close() {
        closed = true;
        completeAll(receivers, ChannelClosedException.class);
        completeAll(closeWaiters, true);
        return true;
    }

    @Override
    void giveUp(int ticket) {
        receivers.remove(ticket);
        closeWaiters.remove(ticket);
    }
}
