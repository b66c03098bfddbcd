package dev.kumihimo.lincheck;

import dev.kumihimo.sync.SemaphoreClosedException;
import java.util.ArrayDeque;
import java.util.List;

/** A semaphore: a number of permits, and a first-in-first-out queue of those who wait for some. */
class SemaphoreModel extends WaitingModel {
    private record Request(int ticket, int count) {}

    private final ArrayDeque<Request> waiters;
    private int permits;
    private boolean closed;

    SemaphoreModel(int permits) {
        this.permits = permits;
        waiters = new ArrayDeque<>();
    }

    private SemaphoreModel(SemaphoreModel from) {
        super(from);
        permits = from.permits;
        closed = from.closed;
        waiters = from.waiters.clone();
    }

    @Override
    WaitingModel copy() {
        return new SemaphoreModel(this);
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "acquire" -> acquire(ticket, (int) arguments.get(0), false);
            case "tryAcquire" -> acquire(ticket, (int) arguments.get(0), true);
            case "release" -> {
                permits += (int) arguments.get(0);
                serve();
                yield true;
            }
            case "availablePermits" -> permits;
            case "close" -> {
                closed = true;
                waiters.forEach(waiter -> complete(waiter.ticket(), SemaphoreClosedException.class));
                waiters.clear();
                yield true;
            }
            default -> throw new IllegalArgumentException(operation);
        };
    }

    private Object acquire(int ticket, int count, boolean now) {
        if (closed) {
            return SemaphoreClosedException.class;
        }
        if (waiters.isEmpty() && count <= permits) {
            permits -= count;
            return true;
        }
        if (now) {
            return false;
        }
        waiters.add(new Request(ticket, count));
        return WAITS;
    }

    private void serve() {
        for (Request head; (head = waiters.peek()) != null && head.count() <= permits; ) {
            waiters.poll();
            permits -= head.count();
            complete(head.ticket(), true);
        }
    }

    @Override
    void giveUp(int ticket) {
        waiters.removeIf(waiter -> waiter.ticket() == ticket);
        serve();
    }

    static final class Empty extends SemaphoreModel {
        Empty() {
            super(0);
        }
    }

    static final class One extends SemaphoreModel {
        One() {
            super(1);
        }
    }

    static final class Two extends SemaphoreModel {
        Two() {
            super(2);
        }
    }
}
