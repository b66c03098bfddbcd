package dev.kumihimo.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * One signal of the operating system, over {@code sun.misc.Signal} of the module {@code jdk.unsupported}. That is exported,
 * and opened by no flag; but a compiler warns of it wherever it is named, and a run-time image may be without it.
 */
public final class OsSignal {
    private static final @Nullable Jdk JDK = Jdk.resolve();

    private final Jdk jdk;
    private final Object signal;
    private @Nullable Object ours;
    private @Nullable Object previous;

    private OsSignal(Jdk jdk, Object signal) {
        this.jdk = jdk;
        this.signal = signal;
    }

    /** {@return whether this JVM has a way to signals} */
    public static boolean isSupported() {
        return JDK != null;
    }

    /**
     * {@return a signal, with no handler of ours}
     *
     * @param name without SIG
     * @throws IllegalArgumentException if this system has none of that name
     */
    public static OsSignal of(String name) {
        Jdk jdk = JDK;
        if (jdk == null) {
            throw new UnsupportedOperationException("this JVM has no sun.misc.Signal");
        }
        try {
            return new OsSignal(jdk, (Object) jdk.make.invokeExact(name));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@return its number} */
    public int number() {
        try {
            return (int) jdk.number.invokeExact(signal);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /**
     * Puts a handler in place of the one that is there, which is kept.
     *
     * @param handler called in a platform thread of its own each time the JVM takes note of the signal
     * @throws IllegalArgumentException if the JVM or the system does not let go of the signal
     */
    public void install(Runnable handler) {
        try {
            Object made = MethodHandleProxies.asInterfaceInstance(jdk.handlerType, jdk.run.bindTo(handler));
            previous = (Object) jdk.handle.invokeExact(signal, made);
            ours = made;
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@return whether the process was ignoring the signal when the handler was installed} */
    public boolean wasIgnored() {
        return previous == jdk.ignore;
    }

    /** Puts the previous handler back, unless somebody else has put one on top of ours, which stays. */
    public void uninstall() {
        try {
            Object top = (Object) jdk.handle.invokeExact(signal, previous);
            if (top != ours) {
                top = (Object) jdk.handle.invokeExact(signal, top);
            }
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Has the previous handler handle the signal, if it is one that can be called. */
    public void passOn() {
        try {
            jdk.call.invokeExact(previous, signal);
        } catch (UnsupportedOperationException e) {
            // the system's default: there is no call to it
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    private static RuntimeException unchecked(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }

    /**
     * The JDK's way to signals, whose types are erased to Object.
     *
     * @param make (name) to signal
     * @param number (signal) to int
     * @param handle (signal, handler) to the handler before
     * @param call (handler, signal) to nothing
     * @param handlerType the interface of handlers
     * @param run (Runnable, signal) to nothing
     * @param ignore the handler that stands for an ignored signal
     */
    private record Jdk(
            MethodHandle make,
            MethodHandle number,
            MethodHandle handle,
            MethodHandle call,
            Class<?> handlerType,
            MethodHandle run,
            Object ignore) {

        private static @Nullable Jdk resolve() {
            try {
                Lookup lookup = MethodHandles.publicLookup();
                Class<?> signal = Class.forName("sun.misc.Signal");
                Class<?> handler = Class.forName("sun.misc.SignalHandler");
                MethodHandle handle =
                        lookup.findStatic(signal, "handle", MethodType.methodType(handler, signal, handler));
                return new Jdk(
                        lookup.findConstructor(signal, MethodType.methodType(void.class, String.class))
                                .asType(MethodType.methodType(Object.class, String.class)),
                        lookup.findVirtual(signal, "getNumber", MethodType.methodType(int.class))
                                .asType(MethodType.methodType(int.class, Object.class)),
                        handle.asType(handle.type().generic()),
                        lookup.findVirtual(handler, "handle", MethodType.methodType(void.class, signal))
                                .asType(MethodType.methodType(void.class, Object.class, Object.class)),
                        handler,
                        MethodHandles.dropArguments(
                                lookup.findVirtual(Runnable.class, "run", MethodType.methodType(void.class)),
                                1,
                                signal),
                        lookup.findStaticGetter(handler, "SIG_IGN", handler).invoke());
            } catch (Throwable e) {
                if (e instanceof VirtualMachineError error) {
                    throw error;
                }
                return null; // isSupported() says so
            }
        }
    }
}
