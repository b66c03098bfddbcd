package dev.kumihimo.lincheck;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A notify: at most one permit, a queue of those who wait, and what each listener has heard of the calls to all. */
final class NotifyModel extends WaitingModel {
    /** One for each of three threads, and for the calls before and after, which Lincheck counts as threads too. */
    static final int LISTENERS = 5;

    private static final int NO_LISTENER = -1;

    private record Waiter(int ticket, int listener) {}

    private final ArrayDeque<Waiter> waiters;
    private final Map<Integer, Integer> called; // by ticket: a listener that has yet to return from a call to all
    private final int[] heard;
    private int calls;
    private boolean permit;

    NotifyModel() {
        waiters = new ArrayDeque<>();
        called = new HashMap<>();
        heard = new int[LISTENERS];
    }

    private NotifyModel(NotifyModel from) {
        super(from);
        waiters = from.waiters.clone();
        called = new HashMap<>(from.called);
        heard = from.heard.clone();
        calls = from.calls;
        permit = from.permit;
    }

    @Override
    WaitingModel copy() {
        return new NotifyModel(this);
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "notifyOne" -> notify(waiters.poll());
            case "notifyLast" -> notify(waiters.pollLast());
            case "notifyWaiters" -> notifyWaiters();
            case "notified" -> take() || enqueue(new Waiter(ticket, NO_LISTENER)) ? true : WAITS;
            case "tryNotified" -> take();
            case "hear" ->
                hear((int) arguments.get(0)) || enqueue(new Waiter(ticket, (int) arguments.get(0))) ? true : WAITS;
            case "tryHear" -> hear((int) arguments.get(0));
            default -> throw new IllegalArgumentException(operation);
        };
    }

    private boolean notify(Waiter waiter) {
        if (waiter == null) {
            permit = true;
        } else {
            complete(waiter.ticket(), true);
        }
        return true;
    }

    private boolean notifyWaiters() {
        calls++;
        for (Waiter waiter; (waiter = waiters.poll()) != null; ) {
            complete(waiter.ticket(), true);
            called.put(waiter.ticket(), waiter.listener());
        }
        return true;
    }

    private boolean take() {
        boolean taken = permit;
        permit = false;
        return taken;
    }

    private boolean hear(int listener) {
        if (heard[listener] == calls) {
            return take();
        }
        heard[listener] = calls;
        return true;
    }

    private boolean enqueue(Waiter waiter) {
        waiters.add(waiter);
        return false;
    }

    /** Calls that come before it returns are heard together with the one that woke it. */
    @Override
    void forget(int ticket) {
        super.forget(ticket);
        Integer listener = called.remove(ticket);
        if (listener != null && listener != NO_LISTENER) {
            heard[listener] = calls;
        }
    }

    @Override
    void giveUp(int ticket) {
        waiters.removeIf(waiter -> waiter.ticket() == ticket);
    }
}
