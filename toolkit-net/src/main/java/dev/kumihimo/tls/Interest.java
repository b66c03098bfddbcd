package dev.kumihimo.tls;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Clause;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: what a select waits for is a condition of this stream or an event of the stream below, and one node cannot be in
 * two queues. So selects queue here, and for as long as any does, one task waits below for all of them, and wakes them all. It
 * does the handshake too if nobody has. It is started by the first that queues and aborted when the last has gone.
 *
 * Fields: queue and watcher are guarded by the lock; watched is written under it.
 * Waiting: a select sets `watched` and then looks at the condition again; who changes the condition looks at `watched`
 * afterwards. Both are volatile, so one of them sees the other.
 * Cancellation: a select that gives up takes its node out. A watcher that ends for whatever reason wakes all that are queued;
 * they look again, and start another if need be.
 */

/** Where selects wait until a stream may have something to read, or room to write. */
final class Interest extends WaitPoint {
    static {
        prepare(java.lang.invoke.MethodHandles.lookup(), Watcher.class, Stop.class, WaitQueue.class);
    }

    /** What a watcher does: waits until the condition may hold, whether it does or not. */
    interface Watch {
        void untilChanged() throws IOException;
    }

    private final TlsStream stream;
    private final String direction;
    private final BooleanSupplier condition;
    private final Watch watch;
    private final WaitQueue queue = new WaitQueue();
    private final Clause<@Nullable Void> clause = new Ready(this);
    private @Nullable Watcher watcher;
    private volatile boolean watched;

    /**
     * Creates one for which nobody waits.
     *
     * @param condition looked at under the lock: reads a few fields
     */
    Interest(TlsStream stream, String direction, BooleanSupplier condition, Watch watch) {
        this.stream = stream;
        this.direction = direction;
        this.condition = condition;
        this.watch = watch;
    }

    Clause<@Nullable Void> clause() {
        return clause;
    }

    /** Tells that the condition may hold from now on. */
    void changed() {
        if (watched) {
            WakeList woken = new WakeList();
            lock();
            try {
                grantAll(woken);
            } finally {
                unlock();
            }
            woken.wakeAll();
        }
    }

    private void grantAll(WakeList woken) {
        for (WaitNode node; (node = queue.poll()) != null; ) {
            if (node.grant()) {
                woken.add(node);
            }
        }
        nobodyWaits(woken);
    }

    private void nobodyWaits(WakeList woken) {
        watched = false;
        Watcher last = watcher;
        watcher = null;
        if (last != null) {
            woken.add(new Stop(last));
        }
    }

    @Override
    public void withdraw(WaitNode node, WakeList woken) {
        if (queue.remove(node) && queue.isEmpty()) {
            nobodyWaits(woken);
        }
    }

    @Override
    public String toString() {
        return direction + " of " + stream;
    }

    private static final class Ready extends Clause<@Nullable Void> {
        private final Interest interest;

        Ready(Interest interest) {
            super(interest);
            this.interest = interest;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return interest.condition.getAsBoolean() ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node, WakeList woken) {
            interest.queue.add(node);
            interest.watched = true;
            if (interest.condition.getAsBoolean()) {
                interest.withdraw(node, woken);
                return false;
            }
            if (interest.watcher == null) {
                Watcher started = new Watcher(interest);
                interest.watcher = started;
                woken.add(started);
            }
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }

    private static final class Watcher extends WakeList.Errand {
        private final Interest interest;
        private volatile boolean stopped;
        private volatile @Nullable JoinHandle<?> task;

        Watcher(Interest interest) {
            this.interest = interest;
        }

        @Override
        protected void run(WakeList woken) {
            if (!stopped) {
                JoinHandle<?> started = Task.spawn(this::watch);
                task = started;
                if (stopped) { // and who stopped it may not have seen the task
                    started.abort();
                } else if (started.isDone()) { // its runtime is shut down, and it never ran
                    ended();
                }
            }
        }

        void stop() {
            stopped = true;
            JoinHandle<?> started = task;
            if (started != null) {
                started.abort();
            }
        }

        private void watch() {
            try {
                interest.watch.untilChanged();
            } catch (IOException e) {
                // whoever reads or writes then is told
            } finally {
                ended();
            }
        }

        private void ended() {
            WakeList woken = new WakeList();
            interest.lock();
            try {
                if (interest.watcher == this) {
                    interest.watcher = null;
                    interest.grantAll(woken);
                }
            } finally {
                interest.unlock();
            }
            woken.wakeAll();
        }
    }

    private static final class Stop extends WakeList.Errand {
        private final Watcher watcher;

        Stop(Watcher watcher) {
            this.watcher = watcher;
        }

        @Override
        protected void run(WakeList woken) {
            watcher.stop();
        }
    }
}
