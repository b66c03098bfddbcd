package dev.kumihimo.codec;

import java.io.IOException;

/**
 * Turns frames into bytes.
 *
 * <pre>{@code
 * Encoder<Integer> ints = (number, target) -> target.putInt(number);
 * }</pre>
 *
 * @param <T> the frames
 * @since 0.1
 */
@FunctionalInterface
public interface Encoder<T> {
    /**
     * Appends a frame. Never waits.
     *
     * @param frame the frame
     * @param target where to; if this throws, what was appended is taken back
     * @throws IOException if the frame cannot be sent, say because it is too long
     */
    void encode(T frame, FrameBuffer target) throws IOException;
}
