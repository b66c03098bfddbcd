package dev.kumihimo.runtime;

import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;

/**
 * The adapter to {@code io.micrometer:context-propagation}, which services with Micrometer, Reactor or Spring have already: all
 * thread-locals that are registered there travel. Only who uses this class needs that library (tested: 1.2); the toolkit does
 * not bring it along.
 *
 * <pre>{@code
 * ContextRegistry.getInstance().registerThreadLocalAccessor(new Slf4jThreadLocalAccessor());
 * TaskRuntime.builder().contextPropagation(MicrometerContext.propagation()).build();
 * }</pre>
 *
 * @since 0.1
 */
public final class MicrometerContext {
    private MicrometerContext() {}

    /**
     * {@return the propagation of all that is registered with the global {@code ContextRegistry}, at the time of each spawn}
     * What has no value where it was captured has none in the task either.
     */
    public static ContextPropagation propagation() {
        return propagation(ContextSnapshotFactory.builder().clearMissing(true).build());
    }

    /**
     * {@return the propagation of what a factory captures}
     *
     * @param factory makes the snapshots; one that does not clear what is missing leaves what a failed task had set to the next
     *     job of its thread
     */
    public static ContextPropagation propagation(ContextSnapshotFactory factory) {
        return () -> {
            ContextSnapshot captured = factory.captureAll();
            return () -> captured.setThreadLocals()::close;
        };
    }
}
