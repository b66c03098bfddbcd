package dev.kumihimo.codec;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts frames out of bytes.
 *
 * <pre>{@code
 * Decoder<Integer> ints = input -> input.remaining() < Integer.BYTES ? null : input.getInt();
 * }</pre>
 *
 * <p>A decoder may have state, and then belongs to one stream.
 *
 * @param <T> the frames
 * @since 0.1
 */
@FunctionalInterface
public interface Decoder<T> {
    /**
     * Takes the next frame out of what has arrived, if it is there. Never waits.
     *
     * @param input what has arrived and was not taken, in its order from position to limit; the frame is taken by moving the
     *     position. The buffer is the caller's again after the call: a frame keeps no part of it
     * @return the frame, or null if more bytes are needed; bytes that are no part of any frame may have been taken then
     * @throws IOException if the bytes are no frame
     */
    @Nullable
    T decode(ByteBuffer input) throws IOException;

    /**
     * Takes the next frame out of what was left when the input ended; called again until it returns null.
     *
     * @param input as in {@link #decode}
     * @return the frame, or null if nothing is left
     * @throws EOFException if the rest is a part of a frame
     * @throws IOException if the bytes are no frame
     */
    default @Nullable T decodeEnd(ByteBuffer input) throws IOException {
        T frame = decode(input);
        if (frame == null && input.hasRemaining()) {
            throw new EOFException("the input ended within a frame, after " + input.remaining() + " bytes of it");
        }
        return frame;
    }
}
