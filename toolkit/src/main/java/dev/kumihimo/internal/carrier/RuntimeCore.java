package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.TimerService;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The moving parts of one runtime, put together: scheduler, driver, sentinel, blocking pool and registry. */
public final class RuntimeCore {
    private static final Logger LOG = LoggerFactory.getLogger("dev.kumihimo.runtime");
    private static volatile boolean fallbackTold;

    /** For interrupts, which seldom take long, and logging. More than one, since an interrupt may close a foreign channel. */
    private static final int SYSTEM_THREADS = 4;

    private static final long SYSTEM_KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String name;
    private final TaskRegistry registry;
    private final BlockingPool blocking;
    private final @Nullable Sentinel sentinel; // null under a controlled scheduler
    private final Scheduler scheduler;
    private final TimerService timers;

    /** The public runtime that this is the core of, and that carriers lead to. */
    private final Object owner;

    /**
     * Starts the parts.
     *
     * @param owner the runtime this is the core of
     * @param name the runtime's name, for reports
     * @param threadName the prefix of thread names
     * @param workers carriers, at least 1
     * @param tickInterval runs between two looks of a carrier at inbox and driver, at least 1
     * @param blocking where blocking jobs run
     * @param hooks what carriers run at their begin and end
     */
    public RuntimeCore(
            Object owner,
            String name,
            String threadName,
            int workers,
            int tickInterval,
            BlockingPool blocking,
            ThreadHooks hooks) {
        this.owner = owner;
        this.name = name;
        this.blocking = blocking;
        this.registry = new TaskRegistry();
        // Not the blocking pool: when that is full, the jobs that fill it could not even be interrupted.
        Executor systemTasks = new BlockingPool(SYSTEM_THREADS, SYSTEM_KEEP_ALIVE_NANOS, threadName + "-system");
        Sentinel watch = new Sentinel(name, systemTasks, registry);
        this.sentinel = watch;
        if (VirtualThreads.customSchedulers()) {
            CarrierPool pool = new CarrierPool(this, workers, tickInterval, threadName, hooks, watch);
            this.scheduler = pool;
            watch.start(pool);
        } else {
            tellFallback();
            this.scheduler = new SharedScheduler(workers, threadName);
            watch.start(null);
        }
        this.timers = scheduler.timers();
    }

    /**
     * Puts together a runtime that somebody else drives.
     *
     * @param owner the runtime this is the core of
     * @param name the runtime's name, for reports
     * @param scheduler what runs its tasks, keeps its time and delivers its interrupts
     */
    public RuntimeCore(Object owner, String name, ControlledScheduler scheduler) {
        this.owner = owner;
        this.name = name;
        this.registry = new TaskRegistry(1); // one list, so that the order in which tasks are found can be foretold
        this.blocking = scheduler.blocking();
        this.sentinel = null;
        this.scheduler = scheduler;
        this.timers = scheduler.timers();
        scheduler.attach(this);
    }

    private static void tellFallback() {
        if (!fallbackTold) {
            fallbackTold = true;
            LOG.warn(
                    "Kumihimo runs on the JDK's own scheduler, slower and not isolated, because this JVM was not started"
                            + " with {} (on the module path: java.base/java.lang=dev.kumihimo)",
                    VirtualThreads.FLAG);
        }
    }

    /** {@return the core whose carrier runs the caller, or null} */
    public static @Nullable RuntimeCore ofCarrier() {
        Thread current = VirtualThreads.currentCarrier();
        if (current instanceof CarrierThread carrier) {
            return carrier.carriers.core();
        }
        return current instanceof ControlledScheduler.Carrier carrier ? carrier.core() : null;
    }

    /** {@return the runtime this is the core of} */
    public Object owner() {
        return owner;
    }

    /** {@return the runtime's name} */
    public String name() {
        return name;
    }

    /** {@return what runs its virtual threads} */
    public Scheduler scheduler() {
        return scheduler;
    }

    /** {@return a factory of unstarted threads for its tasks} */
    public ThreadFactory threads() {
        return scheduler.threads();
    }

    /** {@return its clock and timers} */
    public TimerService timers() {
        return timers;
    }

    /** {@return its timers and channels} */
    public Driver driver() {
        return scheduler.driver();
    }

    /** {@return where blocking jobs run} */
    public BlockingPool blocking() {
        return blocking;
    }

    /** {@return its live tasks} */
    public TaskRegistry registry() {
        return registry;
    }

    /** Has the thread of a cancelled scope interrupted by a system task; callable on the carrier side. */
    public void interruptLater(CancelScope scope) {
        if (sentinel != null) {
            sentinel.interruptLater(scope);
        } else {
            ((ControlledScheduler) scheduler).interruptLater(scope);
        }
    }

    /** Stops driver and sentinel. Threads that are still there run on. */
    public void close() {
        scheduler.close();
        if (sentinel != null) {
            sentinel.stop();
        }
    }
}
