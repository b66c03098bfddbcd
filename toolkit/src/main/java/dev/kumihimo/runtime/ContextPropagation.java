package dev.kumihimo.runtime;

/**
 * How context that is bound to a thread, such as the MDC of a log, a trace or a security identity, travels to the tasks and
 * blocking jobs that the thread spawns. A runtime is given one by {@link TaskRuntime.Builder#contextPropagation}.
 *
 * <pre>{@code
 * TaskRuntime.builder().contextPropagation(ContextPropagation.mdc()).build();       // SLF4J's MDC
 *
 * ContextPropagation tenant = () -> {                                               // a thread-local of one's own
 *     String captured = TENANT.get();
 *     return () -> {
 *         String before = TENANT.get();
 *         TENANT.set(captured);
 *         return () -> TENANT.set(before);
 *     };
 * };
 * }</pre>
 *
 * <p>{@link #capture()} runs on the spawning thread, within the call that spawns. Its snapshot is opened on the thread of the
 * task before anything else of the task runs there, and the scope is closed after its body and its
 * {@linkplain TaskRuntime.Builder#onTaskEnd end hook}, before anybody learns that it has ended. So each task has the context
 * of its spawn, whatever its spawner does to its own later.
 *
 * <p>{@link MicrometerContext} has the adapter to Micrometer's {@code context-propagation}. A {@link ScopedValue} needs none of
 * this: it travels by the scope that it is bound in, to the tasks of a {@code JoinSet} or {@code JoinMap}.
 *
 * <p>All three methods must be fast, and not wait.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface ContextPropagation {
    /**
     * Captures the context of the calling thread. What it throws is thrown by the call that would spawn; nothing is started
     * then.
     *
     * @return the context
     */
    Snapshot capture();

    /**
     * The context of a moment. Opened once, or never if the task does not begin.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Snapshot {
        /**
         * Makes this the context of the calling thread. If it throws, the task fails with that, without having begun: a body
         * is never run in another context than its own.
         *
         * @return what brings back the context that the thread had
         */
        Scope open();
    }

    /**
     * A snapshot that is open on a thread.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Scope extends AutoCloseable {
        /** Brings back the context that the thread had. What it throws is logged at WARN; the task ends as it would have. */
        @Override
        void close();
    }

    /** {@return the propagation of the MDC of SLF4J: each task has a copy of its spawner's, which it may change} */
    static ContextPropagation mdc() {
        return MdcContext.INSTANCE;
    }
}
