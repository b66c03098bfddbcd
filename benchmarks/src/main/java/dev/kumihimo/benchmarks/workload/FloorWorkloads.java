package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.internal.jdk.VirtualThreads;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The least that switching between virtual threads costs on this JVM: each carrier is a loop over a queue of its own that
 * nobody else touches, and what the threads share is not even synchronized. No scheduler that others could use is as small,
 * so no library can be faster; what a column takes beyond it is its own.
 */
final class FloorWorkloads extends Workloads {
    private final Loop[] loops;

    FloorWorkloads(int carriers) {
        super("floor");
        loops = new Loop[carriers];
        for (int i = 0; i < carriers; i++) {
            loops[i] = new Loop();
            loops[i].start();
            for (int idle = 0; idle < 2; idle++) { // or the loops' entries in the JVM's thread table are neighbours
                daemon(LockSupport::park).start();
            }
        }
        add("yield", this::yields);
        add("park_ping_pong", this::pingPong);
        add("channel_1x1_cap1", n -> transfer(n, 1));
        add("rendezvous", n -> transfer(n, 0));
    }

    private static Thread daemon(Runnable body) {
        Thread thread = new Thread(body);
        thread.setDaemon(true);
        return thread;
    }

    /** A carrier. */
    private static final class Loop extends Thread implements Executor {
        private final ArrayDeque<Runnable> own = new ArrayDeque<>();
        private final Queue<Runnable> fromOutside = new ConcurrentLinkedQueue<>();
        final ThreadFactory threads = VirtualThreads.factory(this);

        Loop() {
            setDaemon(true);
        }

        @Override
        public void execute(Runnable continuation) {
            (VirtualThreads.currentCarrier() == this ? own : fromOutside).add(continuation);
        }

        @Override
        public void run() {
            while (true) {
                Runnable next = own.poll();
                if (next == null) {
                    next = fromOutside.poll();
                }
                if (next != null) {
                    next.run();
                } else {
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Override
    public <T> T onRootTask(Callable<T> body) throws ExecutionException {
        try {
            return body.call();
        } catch (Exception e) {
            throw new ExecutionException(e);
        }
    }

    private void yields(int n) throws InterruptedException {
        CountDownLatch ended = new CountDownLatch(YIELDING_TASKS);
        for (int task = 0; task < YIELDING_TASKS; task++) {
            loops[task % loops.length]
                    .threads
                    .newThread(() -> {
                        for (int i = 0; i < n / YIELDING_TASKS; i++) {
                            Thread.yield();
                        }
                        ended.countDown();
                    })
                    .start();
        }
        ended.await();
    }

    /** Runs two threads on one carrier, in turns, until both have ended. */
    private void together(Runnable first, Runnable second, Thread[] both) throws InterruptedException {
        both[0] = loops[0].threads.newThread(first);
        both[1] = loops[0].threads.newThread(second);
        both[0].start();
        both[1].start();
        both[0].join();
        both[1].join();
    }

    private void pingPong(int n) throws InterruptedException {
        Thread[] players = new Thread[2];
        int[] turn = new int[1]; // of one carrier, which runs one of them at a time
        together(() -> play(n, 0, turn, players), () -> play(n, 1, turn, players), players);
    }

    private static void play(int n, int me, int[] turn, Thread[] players) {
        for (int i = 0; i < n; i++) {
            while (turn[0] != me) {
                LockSupport.park();
            }
            turn[0] = 1 - me;
            LockSupport.unpark(players[1 - me]);
        }
    }

    private void transfer(int n, int capacity) throws InterruptedException {
        Thread[] both = new Thread[2];
        Slot slot = new Slot(capacity, both);
        together(
                () -> {
                    for (int i = 0; i < n; i++) {
                        slot.send(ITEM);
                    }
                },
                () -> {
                    for (int i = 0; i < n; i++) {
                        check(slot.receive());
                    }
                },
                both);
    }

    /** A channel for one sender and one receiver of the same carrier. Who waits hands over, or is handed, its item. */
    private static final class Slot {
        private final int capacity;
        private final Thread[] both;
        private @Nullable Object buffered;
        private @Nullable Object offered; // by a sender that waits
        private @Nullable Object received; // by a receiver that waited
        private boolean receiverWaits;

        Slot(int capacity, Thread[] both) {
            this.capacity = capacity;
            this.both = both;
        }

        void send(Object item) {
            if (receiverWaits) {
                receiverWaits = false;
                received = item;
                LockSupport.unpark(both[1]);
            } else if (capacity > 0 && buffered == null) {
                buffered = item;
            } else {
                offered = item;
                while (offered != null) {
                    LockSupport.park();
                }
            }
        }

        Object receive() {
            Object item = buffered;
            buffered = null;
            if (offered != null) {
                if (item == null) {
                    item = offered;
                } else {
                    buffered = offered;
                }
                offered = null;
                LockSupport.unpark(both[0]);
            }
            if (item != null) {
                return item;
            }
            receiverWaits = true;
            while (receiverWaits) {
                LockSupport.park();
            }
            return Objects.requireNonNull(received);
        }
    }
}
