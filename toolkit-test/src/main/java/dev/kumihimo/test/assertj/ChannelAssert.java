package dev.kumihimo.test.assertj;

import dev.kumihimo.channel.Channel;
import org.assertj.core.api.AbstractAssert;
import org.jspecify.annotations.Nullable;

/**
 * Assertions on a channel as it is now; others may change it at once, but in a test runtime.
 *
 * <pre>{@code
 * assertThat(queue).hasSize(3).isOpen();
 * assertThat(results).isEmpty().isClosed();
 * }</pre>
 *
 * @param <T> the items
 * @since 0.1
 */
public final class ChannelAssert<T> extends AbstractAssert<ChannelAssert<T>, Channel<T>> {
    @SuppressWarnings("NullAway") // what is asserted may be null, and then fails as such
    ChannelAssert(@Nullable Channel<T> actual) {
        super(actual, ChannelAssert.class);
    }

    /**
     * Checks that no item is buffered.
     *
     * @return this
     */
    public ChannelAssert<T> isEmpty() {
        return hasSize(0);
    }

    /**
     * Checks how many items are buffered.
     *
     * @param expected how many
     * @return this
     */
    public ChannelAssert<T> hasSize(int expected) {
        isNotNull();
        int size = actual.size();
        if (size != expected) {
            throw failureWithActualExpected(
                    size, expected, "Expected %s to hold %s items, but it holds %s.", actual, expected, size);
        }
        return this;
    }

    /**
     * Checks for how many more items there is room.
     *
     * @param expected how many
     * @return this
     */
    public ChannelAssert<T> hasAvailableCapacity(int expected) {
        isNotNull();
        int room = actual.availableCapacity();
        if (room != expected) {
            throw failureWithActualExpected(
                    room,
                    expected,
                    "Expected %s to have room for %s items, but it has for %s.",
                    actual,
                    expected,
                    room);
        }
        return this;
    }

    /**
     * Checks that the channel is closed; it may still hold items.
     *
     * @return this
     */
    public ChannelAssert<T> isClosed() {
        isNotNull();
        if (!actual.isClosed()) {
            throw failure("Expected %s to be closed, but it is open.", actual);
        }
        return this;
    }

    /**
     * Checks that the channel is not closed.
     *
     * @return this
     */
    public ChannelAssert<T> isOpen() {
        isNotNull();
        if (actual.isClosed()) {
            throw failure("Expected %s to be open, but it is closed.", actual);
        }
        return this;
    }

    /**
     * Checks that the channel is closed and holds nothing more, nor will.
     *
     * @return this
     */
    public ChannelAssert<T> isDrained() {
        isNotNull();
        if (!actual.isDrained()) {
            throw failure("Expected %s to be drained, but it is %s.", actual, actual.isClosed() ? "not empty" : "open");
        }
        return this;
    }
}
