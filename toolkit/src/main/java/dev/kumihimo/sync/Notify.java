package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Tells tasks that something has happened, without saying what: a semaphore of at most one permit, plus a call to all.
 *
 * <pre>{@code
 * Notify changed = new Notify();
 * Task.spawn(() -> {
 *     while (true) {
 *         changed.notified();
 *         flush();
 *     }
 * });
 * changed.notifyOne(); // is not lost if the task is not waiting yet
 * }</pre>
 *
 * <p>Any thread may call any method. {@link #notifyOne()} keeps one permit if nobody waits; {@link #notifyWaiters()} keeps
 * nothing, and reaches those who wait at that moment. A condition that is looked at before the wait needs a {@link Listener},
 * which also hears what came between.
 *
 * <p><b>Waiting and fairness.</b> A wait ends with a permit or a call. Waiters are served in the order of arrival, but for
 * {@link #notifyLast()}, which serves the one that came last.
 *
 * <p><b>Interruption and cancellation.</b> A wait that finds a permit takes it, also in a cancelled task, except that every
 * 128 of them a task yields and looks. A wait that throws has used no permit: the notification goes to the next waiter, or is
 * kept.
 *
 * <p><b>Memory.</b> What a thread did before it notified happens-before what the notified does after its wait.
 *
 * @since 0.1
 */
public final class Notify implements Selectable<@Nullable Void> {
    private final Core core = new Core();
    private final Clause<@Nullable Void> clause = new Notified(core);

    /** Creates one without a permit, for which nobody waits. */
    public Notify() {}

    /** Wakes the one that has waited longest; if nobody waits, keeps a permit for the next wait, one at most. Never waits. */
    public void notifyOne() {
        core.notifyOne(false);
    }

    /** Wakes the one that has waited shortest; if nobody waits, keeps a permit for the next wait, one at most. Never waits. */
    public void notifyLast() {
        core.notifyOne(true);
    }

    /** Wakes all who wait, and has each {@link Listener} hear it. Keeps no permit, and leaves one that is kept. Never waits. */
    public void notifyWaiters() {
        core.notifyAllWaiters();
    }

    /**
     * Waits to be notified, or takes the permit that is kept.
     *
     * @throws InterruptedException if interrupted or cancelled while it would wait; no notification was used
     */
    public void notified() throws InterruptedException {
        Waiter.spend();
        Wait wait = core.takeOrRegister();
        if (wait != null) {
            wait.await();
        }
    }

    /**
     * Waits to be notified, at most a given time, or takes the permit that is kept.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait; no notification was used
     * @throws TimeoutException if none came in time; none was used
     */
    public void notified(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            if (!core.tryTake()) {
                throw new TimeoutException("no permit is kept");
            }
            return;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = core.takeOrRegister();
        if (wait != null && !wait.await(deadline)) {
            throw new TimeoutException("no notification within " + timeout);
        }
    }

    /**
     * Takes the permit if one is kept.
     *
     * @return whether there was one
     */
    public boolean tryNotified() {
        Waiter.spendQuietly();
        return core.tryTake();
    }

    /** {@return a listener that hears every {@link #notifyWaiters()} from now on} */
    public Listener listen() {
        return new Listener(core);
    }

    /** {@return the wait for a notification, to be selected on} */
    @Override
    public Clause<@Nullable Void> clause() {
        return clause;
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return core;
    }

    /** Enqueues a wait, for tests. */
    void enqueue(WaitNode node) {
        core.lock();
        core.waiters.add(node);
        core.unlock();
    }

    @Override
    public String toString() {
        return core.keepsPermit() ? "Notify[permit kept]" : "Notify[]";
    }

    /**
     * A wait that also hears the calls to all since the listener was made, or since it last heard one: made before a condition
     * is looked at, it misses no change. One call or several in between are heard once. Needs no closing; belongs to one thread
     * at a time.
     *
     * <pre>{@code
     * Notify.Listener changes = changed.listen();
     * while (!ready()) {
     *     changes.await(); // ends at once if notifyWaiters() came after listen()
     * }
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Listener implements Selectable<@Nullable Void> {
        private final Core core;
        private int heard;

        Listener(Core core) {
            this.core = core;
            this.heard = core.calls;
        }

        /**
         * Waits for a call to all, one that has come already included, or to be notified as in {@link Notify#notified()}. A call
         * comes before a permit, which is then still kept.
         *
         * @throws InterruptedException if interrupted or cancelled while it would wait; no notification was used
         */
        public void await() throws InterruptedException {
            Waiter.spend();
            Wait wait = core.hearOrRegister(this);
            if (wait != null) {
                wait.await();
                resumed(wait.item);
            }
        }

        /**
         * As {@link #await()}, at most a given time.
         *
         * @param timeout the longest wait; zero or negative does not wait
         * @throws InterruptedException if interrupted or cancelled while it would wait; no notification was used
         * @throws TimeoutException if none came in time; none was used
         */
        public void await(Duration timeout) throws InterruptedException, TimeoutException {
            Waiter.spend();
            if (timeout.isNegative() || timeout.isZero()) {
                if (!core.tryHear(this)) {
                    throw new TimeoutException("no notification has come");
                }
                return;
            }
            long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
            Wait wait = core.hearOrRegister(this);
            if (wait != null) {
                if (!wait.await(deadline)) {
                    throw new TimeoutException("no notification within " + timeout);
                }
                resumed(wait.item);
            }
        }

        /**
         * As {@link #await()}, if that needs no waiting.
         *
         * @return whether a call was heard or a permit taken
         */
        public boolean tryAwait() {
            Waiter.spendQuietly();
            return core.tryHear(this);
        }

        /** {@return the wait, to be selected on} */
        @Override
        public Clause<@Nullable Void> clause() {
            return new Hearing(core, this);
        }

        /** What the owner looks at from here on, it looks at after all calls until now. */
        private void resumed(@Nullable Object how) {
            if (how == Core.CALL) {
                heard = core.calls;
            }
        }
    }

    private static final class Notified extends Clause<@Nullable Void> {
        private final Core core;

        Notified(Core core) {
            super(core);
            this.core = core;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return core.take() ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.waiters.add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }

    private static final class Hearing extends Clause<@Nullable Void> {
        private final Core core;
        private final Listener listener;

        Hearing(Core core, Listener listener) {
            super(core);
            this.core = core;
            this.listener = listener;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            if (core.calls != listener.heard) {
                return Core.CALL;
            }
            return core.take() ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.waiters.add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            listener.resumed(outcome);
            return null;
        }
    }

    /*
     * Algorithm: a flag, a count of the calls to all, and a queue, behind a spin lock. A waiter that has given up cannot be
     * granted, so a notification passes it by: nothing needs forwarding.
     * Invariant: nobody waits, but those who have given up, while a permit is kept.
     * A node's item: CALL if it was granted by a call to all. `calls` is written under the lock; read without it by listeners.
     */
    private static final class Core extends WaitPoint {
        static final Object CALL = new Object();

        private final WaitQueue waiters = new WaitQueue();
        private boolean permit;
        private volatile int calls; // may wrap: it is only compared for equality

        void notifyOne(boolean last) {
            WaitNode woken = null;
            lock();
            try {
                do {
                    woken = last ? waiters.pollLast() : waiters.poll();
                } while (woken != null && !woken.grant());
                if (woken == null) {
                    permit = true;
                }
            } finally {
                unlock();
            }
            if (woken != null) {
                woken.owner().wake();
            }
        }

        @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
        void notifyAllWaiters() {
            WakeList woken = new WakeList();
            lock();
            try {
                calls++;
                for (WaitNode node; (node = waiters.poll()) != null; ) {
                    node.item = CALL;
                    if (node.grant()) {
                        woken.add(node);
                    }
                }
            } finally {
                unlock();
            }
            woken.wakeAll();
        }

        private boolean take() {
            boolean kept = permit;
            permit = false;
            return kept;
        }

        private boolean hear(Listener listener) {
            if (calls == listener.heard) {
                return take();
            }
            listener.heard = calls;
            return true;
        }

        boolean tryTake() {
            lock();
            try {
                return take();
            } finally {
                unlock();
            }
        }

        boolean tryHear(Listener listener) {
            lock();
            try {
                return hear(listener);
            } finally {
                unlock();
            }
        }

        @Nullable
        Wait takeOrRegister() {
            lock();
            try {
                return take() ? null : register();
            } finally {
                unlock();
            }
        }

        @Nullable
        Wait hearOrRegister(Listener listener) {
            lock();
            try {
                return hear(listener) ? null : register();
            } finally {
                unlock();
            }
        }

        private Wait register() {
            Wait wait = Wait.at(this);
            waiters.add(wait);
            return wait;
        }

        boolean keepsPermit() {
            lock();
            try {
                return permit;
            } finally {
                unlock();
            }
        }

        @Override
        public @Nullable String lostWakeup() {
            WaitNode head = undecided(waiters);
            return head != null && permit ? lost("a permit is kept", head) : null;
        }

        @Override
        public String toString() {
            return "notify";
        }
    }
}
