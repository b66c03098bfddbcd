package dev.kumihimo.task;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** A callback of a token: called once by the canceller, or taken back before that. */
final class TokenCallback extends TokenNode.Subscriber implements CancellationToken.Registration {
    private static final VarHandle ACTION;

    static {
        try {
            ACTION = MethodHandles.lookup().findVarHandle(TokenCallback.class, "action", Runnable.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final TokenNode token;

    /** Swapped for null by whoever calls it or takes it back, which decides. */
    @SuppressWarnings("unused") // accessed through ACTION
    private volatile @Nullable Runnable action;

    TokenCallback(TokenNode token, Runnable action) {
        this.token = token;
        this.action = action;
    }

    /** Calls it, unless it was taken back. */
    void call() {
        Runnable claimed = (Runnable) ACTION.getAndSet(this, null);
        if (claimed == null) {
            return;
        }
        try {
            claimed.run();
        } catch (Throwable e) {
            LoggerFactory.getLogger(CancellationToken.class).warn("a callback of {} failed", token, e);
        }
    }

    @Override
    public void close() {
        if (ACTION.getAndSet(this, null) != null) {
            token.unsubscribe(this);
        }
    }
}
