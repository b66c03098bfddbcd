package dev.kumihimo.test.assertj;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import org.jspecify.annotations.Nullable;

/**
 * The entrance to assertions on Kumihimo's types; it may be imported beside AssertJ's own.
 *
 * <pre>{@code
 * import static dev.kumihimo.test.assertj.KumihimoAssertions.assertThat;
 * import static org.assertj.core.api.Assertions.assertThat;
 *
 * assertThat(worker).isParked();
 * assertThat(queue).hasSize(3).isOpen();
 * assertThat(upload.result()).isFailure().hasCauseInstanceOf(IOException.class);
 * }</pre>
 *
 * @since 0.1
 */
public final class KumihimoAssertions {
    private KumihimoAssertions() {}

    /**
     * {@return assertions on how a task ended}
     *
     * @param actual the result
     * @param <T> the task's result
     */
    public static <T extends @Nullable Object> JoinResultAssert<T> assertThat(@Nullable JoinResult<T> actual) {
        return new JoinResultAssert<>(actual);
    }

    /**
     * {@return assertions on a task}
     *
     * @param actual its handle
     * @param <T> the task's result
     */
    public static <T extends @Nullable Object> JoinHandleAssert<T> assertThat(@Nullable JoinHandle<T> actual) {
        return new JoinHandleAssert<>(actual);
    }

    /**
     * {@return assertions on a channel}
     *
     * @param actual the channel
     * @param <T> its items
     */
    public static <T> ChannelAssert<T> assertThat(@Nullable Channel<T> actual) {
        return new ChannelAssert<>(actual);
    }
}
