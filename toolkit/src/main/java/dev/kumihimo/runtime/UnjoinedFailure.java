package dev.kumihimo.runtime;

import java.lang.ref.Cleaner;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A failure that nobody has joined yet. Holds what a report needs, and not the task, whose collection triggers it. */
final class UnjoinedFailure implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(TaskRuntime.class);

    private final Registry registry;
    private final String task;
    private final Throwable exception;

    private UnjoinedFailure(Registry registry, String task, Throwable exception) {
        this.registry = registry;
        this.task = task;
        this.exception = exception;
    }

    /** The task is gone, or its runtime: reports unless that was done, or somebody has joined. */
    @Override
    public void run() {
        if (registry.pending.remove(this)) {
            if (!registry.isHeard(task, exception)) {
                LOG.warn("{} failed and nobody joined it", task, exception);
            }
        }
    }

    /** The unjoined failures of one runtime. */
    static final class Registry {
        private final Set<UnjoinedFailure> pending = ConcurrentHashMap.newKeySet();
        private volatile @Nullable BiConsumer<String, Throwable> listener; // null but under test

        void listen(BiConsumer<String, Throwable> to) {
            listener = to;
        }

        /** Tells the listener of a failure; false if there is none, and it is to be logged. */
        boolean isHeard(String task, Throwable exception) {
            BiConsumer<String, Throwable> hearing = listener;
            if (hearing != null) {
                hearing.accept(task, exception);
            }
            return hearing != null;
        }

        UnjoinedFailure track(RuntimeTask<?> task, Throwable exception) {
            UnjoinedFailure failure = new UnjoinedFailure(this, task.toString(), exception);
            pending.add(failure);
            Cleaners.CLEANER.register(task, failure);
            return failure;
        }

        void seen(UnjoinedFailure failure) {
            pending.remove(failure);
        }

        void reportAll() {
            pending.forEach(UnjoinedFailure::run);
        }
    }

    /** Started by the first failure. */
    private static final class Cleaners {
        private static final Cleaner CLEANER = Cleaner.create();
    }
}
