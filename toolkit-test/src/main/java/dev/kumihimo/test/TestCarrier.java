package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.ControlledScheduler;
import dev.kumihimo.internal.carrier.RuntimeCore;
import dev.kumihimo.internal.jdk.VirtualThreads;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A platform thread on which tasks under control run, one runtime's at a time. It is not the thread that drives, so that one
 * can give up on a carrier that a task holds for ever. Those at rest are used again, and end after a while.
 */
final class TestCarrier extends Thread implements ControlledScheduler.Carrier {
    private static final long KEEP_ALIVE_SECONDS = 5;
    private static final ConcurrentLinkedDeque<TestCarrier> IDLE = new ConcurrentLinkedDeque<>();
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final LinkedBlockingQueue<Runnable> jobs = new LinkedBlockingQueue<>();

    /** What is driven here: written by itself, read by who reports that it is stuck. */
    private volatile @Nullable TestScheduler driven;

    private TestCarrier() {
        super(null, null, "kumihimo-test-carrier-" + NUMBERS.incrementAndGet(), 0, false);
        setDaemon(true);
    }

    /** Has a carrier run a job; it is at rest again when the job has ended. */
    static <T extends @Nullable Object> Running<T> submit(Callable<T> job) {
        FutureTask<T> result = new FutureTask<>(job);
        while (true) {
            TestCarrier idle = IDLE.pollFirst();
            if (idle == null) {
                idle = new TestCarrier();
                idle.start();
            }
            synchronized (idle) {
                if (!idle.retired) {
                    idle.jobs.add(result);
                    return new Running<>(idle, result);
                }
            }
        }
    }

    private boolean retired; // guarded by the monitor

    /** A job under way, and where. */
    record Running<T extends @Nullable Object>(TestCarrier carrier, FutureTask<T> result) {}

    /** Waits for a while until a job has ended, however it does; an interrupt ends it as well, and is forgotten. */
    static void awaitEnd(Running<?> running, long nanos) {
        try {
            running.result().get(nanos, TimeUnit.NANOSECONDS);
        } catch (ExecutionException | TimeoutException | InterruptedException e) {
            // what it ended with is of no interest
        }
    }

    /** {@return the carrier that the caller is, itself and not as one of the threads on it, or null} */
    static @Nullable TestCarrier current() {
        return Thread.currentThread() instanceof TestCarrier carrier ? carrier : null;
    }

    /** {@return whether the caller runs on a carrier that a scheduler is driven on: itself, or as a thread on it} */
    static boolean isOn(TestScheduler scheduler) {
        return VirtualThreads.currentCarrier() instanceof TestCarrier carrier && carrier.driven() == scheduler;
    }

    /** Makes a scheduler the one driven here; returns the one that was. */
    @Nullable
    TestScheduler drive(@Nullable TestScheduler next) {
        TestScheduler before = driven;
        driven = next;
        return before;
    }

    @Nullable
    TestScheduler driven() {
        return driven;
    }

    @Override
    public @Nullable RuntimeCore core() {
        TestScheduler scheduler = driven;
        return scheduler == null ? null : scheduler.core();
    }

    @Override
    public void run() {
        while (true) {
            Runnable job = nextJob();
            if (job == null) {
                return;
            }
            job.run();
            Thread.interrupted();
            IDLE.addFirst(this);
        }
    }

    /** {@return where it is: its own frames, and what runs on it is told by the frames of that} */
    String stack() {
        StringBuilder stack = new StringBuilder();
        Thread mounted = null;
        TestScheduler scheduler = driven;
        if (scheduler != null) {
            mounted = scheduler.running();
        }
        if (mounted != null) {
            append(stack, mounted);
        }
        append(stack, this);
        return stack.toString();
    }

    private static void append(StringBuilder stack, Thread thread) {
        stack.append(System.lineSeparator()).append("  ").append(thread).append(" is at");
        for (StackTraceElement frame : thread.getStackTrace()) {
            stack.append(System.lineSeparator()).append("    ").append(frame);
        }
    }

    private @Nullable Runnable nextJob() {
        while (true) {
            try {
                Runnable job = jobs.poll(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS);
                if (job != null) {
                    return job;
                }
                synchronized (this) {
                    retired = jobs.isEmpty();
                    if (retired) {
                        IDLE.remove(this);
                        return null;
                    }
                }
            } catch (InterruptedException e) {
                // a late one of the last job's; nobody interrupts a carrier at rest
            }
        }
    }
}
