package dev.kumihimo.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * The door to what the JDK does not export about virtual threads: a scheduler of one's own, and the carrier that runs the
 * caller. Opened by {@value #FLAG}; without it, {@link #customSchedulers()} is false and the rest is not used.
 */
public final class VirtualThreads {
    /** The JVM flag that opens the door for a toolkit on the class path. */
    public static final String FLAG = "--add-opens java.base/java.lang=ALL-UNNAMED";

    private static final @Nullable MethodHandle NEW_BUILDER;
    private static final @Nullable MethodHandle CURRENT_CARRIER;
    private static final @Nullable MethodHandle CARRIER_OF;

    static {
        startPollers();
        MethodHandle newBuilder = null;
        MethodHandle currentCarrier = null;
        MethodHandle carrierOf = null;
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            Class<?> builder = Class.forName("java.lang.ThreadBuilders$VirtualThreadBuilder");
            newBuilder = MethodHandles.privateLookupIn(builder, lookup)
                    .findConstructor(builder, MethodType.methodType(void.class, Executor.class))
                    .asType(MethodType.methodType(Thread.Builder.OfVirtual.class, Executor.class));
            currentCarrier = MethodHandles.privateLookupIn(Thread.class, lookup)
                    .findStatic(Thread.class, "currentCarrierThread", MethodType.methodType(Thread.class));
            Class<?> virtualThread = Class.forName("java.lang.VirtualThread");
            carrierOf = MethodHandles.privateLookupIn(virtualThread, lookup)
                    .findGetter(virtualThread, "carrierThread", Thread.class)
                    .asType(MethodType.methodType(Thread.class, Thread.class));
        } catch (ReflectiveOperationException | RuntimeException e) {
            // Not opened, or a JDK that has changed: the caller falls back to the JDK's scheduler and says so.
            carrierOf = null;
        }
        boolean complete = carrierOf != null;
        NEW_BUILDER = complete ? newBuilder : null;
        CURRENT_CARRIER = complete ? currentCarrier : null;
        CARRIER_OF = complete ? carrierOf : null;
    }

    private VirtualThreads() {}

    /** {@return whether virtual threads can be given a scheduler of ours} */
    public static boolean customSchedulers() {
        return NEW_BUILDER != null;
    }

    /**
     * {@return a factory of unstarted, unnamed virtual threads that run on a scheduler}
     *
     * @param scheduler what their continuations are handed to; it must accept them for ever, and never throw
     */
    public static ThreadFactory factory(Executor scheduler) {
        MethodHandle handle = NEW_BUILDER;
        if (handle == null) {
            throw new IllegalStateException("custom schedulers need the JVM flag " + FLAG);
        }
        try {
            Thread.Builder.OfVirtual builder = (Thread.Builder.OfVirtual) handle.invokeExact(scheduler);
            return builder.inheritInheritableThreadLocals(false).factory();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@return the platform thread that runs the caller, which may be the caller itself} */
    public static Thread currentCarrier() {
        MethodHandle handle = CURRENT_CARRIER;
        if (handle == null) {
            return Thread.currentThread();
        }
        try {
            return (Thread) handle.invokeExact();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@return the carrier a virtual thread is mounted on, or null; racy, for reports} */
    public static @Nullable Thread carrierOf(Thread thread) {
        MethodHandle handle = CARRIER_OF;
        if (handle == null || !thread.isVirtual()) {
            return null;
        }
        try {
            return (Thread) handle.invokeExact(thread);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * {@return the virtual thread that a continuation is of, or null if this JDK does not tell; for reports}
     *
     * @param continuation what a scheduler was handed
     */
    public static @Nullable Thread threadOf(Runnable continuation) {
        try {
            for (Field field : continuation.getClass().getDeclaredFields()) {
                if (Thread.class.isAssignableFrom(field.getType())) {
                    field.setAccessible(true);
                    return (Thread) field.get(continuation);
                }
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            // the thread stays unnamed
        }
        return null;
    }

    /**
     * {@return what wakes the virtual threads that wait in the JDK for a time; empty before 25, or if this JDK does not tell}
     * It is the JDK's own array, one of which each thread that parks is given, and who replaces an element sees to these waits.
     */
    public static ScheduledExecutorService[] delayedSchedulers() {
        try {
            Class<?> holder = Class.forName("java.lang.VirtualThread$DelayedTaskSchedulers");
            return (ScheduledExecutorService[]) MethodHandles.privateLookupIn(holder, MethodHandles.lookup())
                    .findStaticGetter(holder, "INSTANCE", ScheduledExecutorService[].class)
                    .invokeExact();
        } catch (Throwable e) {
            return new ScheduledExecutorService[0]; // their order is the JDK's
        }
    }

    /**
     * Has the JDK start its socket pollers now, from a platform thread. Started by the first blocking socket operation of a
     * task, they would be virtual threads on our carriers, and end every socket wait of the JVM with our runtime (25 to 28).
     */
    private static void startPollers() {
        Runnable start = new PollerStart();
        if (!Thread.currentThread().isVirtual()) {
            start.run();
            return;
        }
        Thread starter =
                Thread.ofPlatform().daemon().name("kumihimo-poller-start").start(start);
        boolean interrupted = false;
        while (starter.isAlive()) {
            try {
                starter.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A class of its own, since its thread must not wait for the initialisation of ours, which waits for that thread. */
    private static final class PollerStart implements Runnable {
        @Override
        public void run() {
            try {
                Class.forName("sun.nio.ch.Poller", true, null);
            } catch (ClassNotFoundException | LinkageError e) {
                // a JDK without that class has no such pollers
            }
        }
    }

    private static IllegalStateException unexpected(Throwable e) {
        return new IllegalStateException("the JDK refused what it allowed at start: " + e, e);
    }
}
