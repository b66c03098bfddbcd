package dev.kumihimo.lincheck;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * A read-write lock, and a mutex, which is one that is only written: a first-in-first-out queue, and what is read is how many
 * times it was written.
 */
class LockModel extends WaitingModel {
    /** In place of a value: the lock was not to be had at once. */
    static final int NOT_FREE = -1;

    private static final int NOBODY = -1;

    private record Request(int ticket, boolean writes) {}

    private final int maxReaders;
    private final ArrayDeque<Request> waiters;
    private final List<Integer> readers;
    private int writer = NOBODY;
    private int value;

    LockModel(int maxReaders) {
        this.maxReaders = maxReaders;
        waiters = new ArrayDeque<>();
        readers = new ArrayList<>();
    }

    private LockModel(LockModel from) {
        super(from);
        maxReaders = from.maxReaders;
        waiters = from.waiters.clone();
        readers = new ArrayList<>(from.readers);
        writer = from.writer;
        value = from.value;
    }

    @Override
    WaitingModel copy() {
        return new LockModel(this);
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "read" -> take(new Request(ticket, false), false);
            case "tryRead" -> take(new Request(ticket, false), true);
            case "write", "lock" -> take(new Request(ticket, true), false);
            case "tryWrite", "tryLock" -> take(new Request(ticket, true), true);
            case "isLocked" -> writer != NOBODY;
            case "downgrade" -> writer == ticket && release(ticket) && readers.add(ticket) && serve();
            case "unlock" -> release(ticket) && serve();
            default -> throw new IllegalArgumentException(operation);
        };
    }

    private Object take(Request request, boolean now) {
        if (writer == request.ticket() && !now) {
            return IllegalStateException.class; // it would wait for itself
        }
        if (waiters.isEmpty() && isFree(request)) {
            return taken(request);
        }
        if (now) {
            return NOT_FREE;
        }
        waiters.add(request);
        return WAITS;
    }

    private boolean isFree(Request request) {
        return writer == NOBODY && readers.size() < (request.writes() ? 1 : maxReaders);
    }

    private int taken(Request request) {
        if (request.writes()) {
            writer = request.ticket();
            return value++;
        }
        readers.add(request.ticket());
        return value;
    }

    private boolean release(int ticket) {
        if (writer == ticket) {
            writer = NOBODY;
            return true;
        }
        return readers.remove((Integer) ticket);
    }

    private boolean serve() {
        for (Request head; (head = waiters.peek()) != null && isFree(head); ) {
            waiters.poll();
            complete(head.ticket(), taken(head));
        }
        return true;
    }

    @Override
    void giveUp(int ticket) {
        waiters.removeIf(waiter -> waiter.ticket() == ticket);
        serve();
    }

    static final class OneReader extends LockModel {
        OneReader() {
            super(1);
        }
    }

    static final class TwoReaders extends LockModel {
        TwoReaders() {
            super(2);
        }
    }
}
