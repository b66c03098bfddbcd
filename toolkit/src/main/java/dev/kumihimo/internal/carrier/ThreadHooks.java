package dev.kumihimo.internal.carrier;

import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a program has run on each carrier and blocking thread of a runtime.
 *
 * @param onStart before the thread does anything else
 * @param onStop before it ends
 */
public record ThreadHooks(
        @Nullable Consumer<Thread> onStart, @Nullable Consumer<Thread> onStop) {
    /** No hooks. */
    public static final ThreadHooks NONE = new ThreadHooks(null, null);

    private static final Logger LOG = LoggerFactory.getLogger("dev.kumihimo.runtime");

    void started(Executor reporter) {
        call("onThreadStart", onStart, reporter);
    }

    void stopping(Executor reporter) {
        call("onThreadStop", onStop, reporter);
    }

    private static void call(String name, @Nullable Consumer<Thread> hook, Executor reporter) {
        if (hook == null) {
            return;
        }
        Thread thread = Thread.currentThread();
        try {
            hook.accept(thread);
        } catch (Throwable e) {
            try {
                reporter.execute(() -> LOG.warn("the hook {} failed on thread {}", name, thread.getName(), e));
            } catch (Throwable ignored) {
                // no memory to tell it, or a broken log: the thread goes on
            }
        } finally {
            Thread.interrupted(); // what runs next here starts with a clean flag
        }
    }
}
