package dev.kumihimo.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A {@code java.util.concurrent.StructuredTaskScope} of whatever shape this JDK has, reached without
 * {@code --enable-preview}: threads forked in it inherit the owner's scoped values and are listed under the owner in a
 * thread dump. It keeps no reference to what has finished.
 *
 * <p>Confined to the thread that opened it, on every JDK. That thread must join before it closes, and must close in the
 * reverse order of opening; until then it may not fork inside a scoped value binding that was not there when it opened.
 *
 * @since 0.1
 */
public final class StructuredScope implements AutoCloseable {

    /* Shapes: a class with a constructor (String, ThreadFactory) in JDK 21 to 24; since 25 an interface with a factory
     * method open(Joiner, Function), whose Function is a UnaryOperator since 26, and whose join declares whatever
     * exception the Joiner throws since 27. Final, no longer a preview, in 28.
     *
     * What differs in behavior is leveled here:
     * - Forking by a child, and forking after join, which 21 to 24 allow, is refused as later versions do.
     * - The Joiner is the one that retains no finished forks.
     * - After a join that was interrupted, JDK 25 (alone) refuses to join again. Hence the count of ended bodies.
     * - Once the JDK has closed the scope, because a scope or a scoped value binding around it ended first, a fork does
     *   nothing and says nothing (21 to 28). Here it throws.
     *
     * Fields: `joined`, `forked` and `made` belong to the owner. `ended` is incremented by each body as its last act.
     *
     * Waiting, only after an interrupted join: the owner publishes `awaited`, then reads `ended` before it parks; a
     * body increments `ended`, then reads `awaited`. All four accesses are volatile, so the owner sees the increment or
     * the body sees the owner: no wakeup is lost. The end of the threads is left for close() to wait for, which every
     * JDK does, and without an error, once a join was attempted.
     *
     * Checked by: StructuredScopeTest. */

    private static final @Nullable Jdk JDK = Jdk.resolve();
    private static final VarHandle ENDED;

    static {
        try {
            ENDED = MethodHandles.lookup().findVarHandle(StructuredScope.class, "ended", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final Thread owner = Thread.currentThread();
    private final ThreadFactory factory;
    private final AutoCloseable scope;

    private boolean joined;
    private long forked;

    /** The thread that the factory made for the fork under way. */
    private @Nullable Thread made;

    /** How many bodies have ended. */
    @SuppressWarnings("unused") // accessed through ENDED
    private volatile long ended;

    /** The value of {@link #ended} for which the owner waits, or -1. */
    private volatile long awaited = -1;

    private StructuredScope(Jdk jdk, String name, ThreadFactory factory) {
        this.name = name;
        this.factory = factory;
        try {
            scope = jdk.opener.open(name, this::newThread);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@return whether this JDK has a {@code StructuredTaskScope} of a shape known here} */
    public static boolean isSupported() {
        return JDK != null;
    }

    /**
     * Opens a scope owned by the calling thread.
     *
     * @param name the name it has in thread dumps
     * @param factory makes the thread of each fork, within the call of {@link #fork}
     * @return the scope, to be closed by the same thread
     * @throws UnsupportedOperationException if it is not {@linkplain #isSupported() supported}
     */
    public static StructuredScope open(String name, ThreadFactory factory) {
        return new StructuredScope(jdk(), name, factory);
    }

    /**
     * Runs a body in a new thread of this scope.
     *
     * <p>What the factory throws is thrown here, and so is whatever the JDK throws to refuse the fork, such as
     * {@code StructureViolationException}. In each of these cases the body does not run, and the scope stays as it was;
     * the factory may have made a thread, which is not started.
     *
     * @param body what to run; must not throw
     * @throws WrongThreadException if the calling thread is not the owner
     * @throws IllegalStateException if the scope was joined or closed, be it by the JDK because a scope or a scoped
     *     value binding that was there first has ended
     * @throws java.util.concurrent.RejectedExecutionException if the factory returned null
     */
    public void fork(Runnable body) {
        ensureOwner();
        if (joined) {
            throw new IllegalStateException("scope \"" + name + "\" is already joined or closed");
        }
        Fork fork = new Fork(body);
        Thread thread;
        try {
            jdk().fork.invokeExact(scope, (Callable<?>) fork);
        } catch (Throwable e) {
            throw unchecked(e);
        } finally {
            thread = made;
            made = null;
        }
        if (thread == null || (!thread.isAlive() && !fork.started)) {
            throw new IllegalStateException("scope \"" + name
                    + "\" was closed by the JDK: a scope or scoped value binding that was there first has ended");
        }
        forked++;
    }

    /**
     * Waits until all forked bodies have ended. Nothing ends this wait early: an interrupt, be it from before the call
     * or during it, is put off until the method returns with the interrupt flag set. No fork can follow. A second call
     * does nothing.
     *
     * <p>What the bodies did happens-before this method returns.
     *
     * @throws WrongThreadException if the calling thread is not the owner
     */
    public void joinUninterruptibly() {
        ensureOwner();
        if (joined) {
            return;
        }
        joined = true;
        boolean interrupted = Thread.interrupted();
        try {
            jdk().join.invokeExact(scope);
        } catch (InterruptedException e) {
            interrupted = true;
            awaitBodies();
        } catch (Throwable e) {
            throw unchecked(e);
        } finally {
            if (interrupted) {
                owner.interrupt();
            }
        }
    }

    /**
     * Waits until the threads of the scope, whose bodies have ended, have ended too, and closes it. Nothing ends this
     * wait early. Does nothing if the scope is closed.
     *
     * @throws WrongThreadException if the calling thread is not the owner
     * @throws IllegalStateException if something was forked and not joined; the scope is closed nevertheless, after
     *     whatever runs in it was interrupted and has ended
     */
    @Override
    public void close() {
        ensureOwner();
        joined = true;
        try {
            scope.close();
        } catch (Exception e) { // StructureViolationException among them, if scopes opened later are still open
            throw unchecked(e);
        }
    }

    private void ensureOwner() {
        if (Thread.currentThread() != owner) {
            throw new WrongThreadException("scope \"" + name + "\" is confined to its owner " + owner);
        }
    }

    private @Nullable Thread newThread(Runnable task) {
        made = factory.newThread(task);
        return made;
    }

    /** Waits in the way of a join, on any JDK, once the JDK's own was interrupted. */
    private void awaitBodies() {
        awaited = forked; // volatile; pairs with the read in Fork.call()
        while (ended != forked) {
            LockSupport.park(this);
            Thread.interrupted(); // the caller knows; a set flag would keep park from waiting
        }
    }

    private static Jdk jdk() {
        Jdk jdk = JDK;
        if (jdk == null) {
            throw new UnsupportedOperationException("this JDK has no StructuredTaskScope of a known shape");
        }
        return jdk;
    }

    private static RuntimeException unchecked(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }

    private final class Fork implements Callable<@Nullable Void> {
        private final Runnable body;

        /** Set by the fork; seen by an owner that sees the thread's end. */
        private boolean started;

        private Fork(Runnable body) {
            this.body = body;
        }

        @Override
        public @Nullable Void call() {
            started = true;
            try {
                body.run();
                return null;
            } finally {
                if ((long) ENDED.getAndAdd(StructuredScope.this, 1L) + 1 == awaited) { // pairs with awaitBodies()
                    LockSupport.unpark(owner);
                }
            }
        }
    }

    private interface Opener {
        AutoCloseable open(String name, ThreadFactory factory) throws Throwable;
    }

    /**
     * This JDK's way to a scope. A constant that is a record, so that the compiler inlines the handles.
     *
     * @param fork (scope, callable) to nothing
     * @param join (scope) to nothing
     */
    private record Jdk(Opener opener, MethodHandle fork, MethodHandle join) {

        private static @Nullable Jdk resolve() {
            try {
                Lookup lookup = MethodHandles.publicLookup();
                Class<?> type = Class.forName("java.util.concurrent.StructuredTaskScope");
                return new Jdk(
                        type.isInterface() ? factoryMethod(lookup, type) : constructor(lookup, type),
                        lookup.unreflect(type.getMethod("fork", Callable.class))
                                .asType(MethodType.methodType(void.class, AutoCloseable.class, Callable.class)),
                        lookup.unreflect(type.getMethod("join"))
                                .asType(MethodType.methodType(void.class, AutoCloseable.class)));
            } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
                return null; // isSupported() says so
            }
        }

        private static Opener constructor(Lookup lookup, Class<?> type) throws ReflectiveOperationException {
            MethodHandle handle = lookup.unreflectConstructor(type.getConstructor(String.class, ThreadFactory.class))
                    .asType(MethodType.methodType(AutoCloseable.class, String.class, ThreadFactory.class));
            return (name, factory) -> (AutoCloseable) handle.invokeExact(name, factory);
        }

        private static Opener factoryMethod(Lookup lookup, Class<?> type) throws ReflectiveOperationException {
            Class<?> joiner = Class.forName(type.getName() + "$Joiner");
            Class<?> config = Class.forName(type.getName() + "$Configuration");
            MethodHandle open = openHandle(lookup, type, joiner)
                    .asType(MethodType.methodType(AutoCloseable.class, Object.class, UnaryOperator.class));
            MethodHandle newJoiner = lookup.unreflect(joiner.getMethod("awaitAllSuccessfulOrThrow"))
                    .asType(MethodType.methodType(Object.class));
            MethodHandle withName = lookup.unreflect(config.getMethod("withName", String.class))
                    .asType(MethodType.methodType(Object.class, Object.class, String.class));
            MethodHandle withFactory = lookup.unreflect(config.getMethod("withThreadFactory", ThreadFactory.class))
                    .asType(MethodType.methodType(Object.class, Object.class, ThreadFactory.class));
            return (name, factory) -> {
                UnaryOperator<Object> configure = initial -> {
                    try {
                        Object named = (Object) withName.invokeExact(initial, name);
                        return (Object) withFactory.invokeExact(named, factory);
                    } catch (Throwable e) {
                        throw unchecked(e);
                    }
                };
                return (AutoCloseable) open.invokeExact((Object) newJoiner.invokeExact(), configure);
            };
        }

        private static MethodHandle openHandle(Lookup lookup, Class<?> type, Class<?> joiner)
                throws ReflectiveOperationException {
            try {
                return lookup.unreflect(type.getMethod("open", joiner, UnaryOperator.class));
            } catch (NoSuchMethodException e) {
                return lookup.unreflect(type.getMethod("open", joiner, Function.class));
            }
        }
    }
}
