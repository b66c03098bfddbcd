package dev.kumihimo.channel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Locale;

/** What is open until it is closed once: a handle that a channel counts. */
abstract class Handle {
    private static final VarHandle CLOSED;

    static {
        try {
            CLOSED = MethodHandles.lookup().findVarHandle(Handle.class, "closed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** An operation that another thread's close overtakes may still happen, unless that close was the last of its kind. */
    private volatile boolean closed;

    /** {@return whether this call has closed it} */
    final boolean closeOnce() {
        return CLOSED.compareAndSet(this, false, true); // lost: it is closed, and no longer counted
    }

    final void ensureOpen() {
        if (closed) {
            throw new IllegalStateException("this " + getClass().getSimpleName().toLowerCase(Locale.ROOT)
                    + " is closed; a thread that goes on when another closes it needs a copy() of its own");
        }
    }

    final String describe(Channel<?> channel) {
        return getClass().getSimpleName() + "[" + (closed ? "closed, of " : "") + channel.describe() + "]";
    }
}
