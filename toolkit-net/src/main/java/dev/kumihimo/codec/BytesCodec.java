package dev.kumihimo.codec;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes as they come: a frame is what has arrived, and its limits mean nothing.
 *
 * <pre>{@code
 * var pieces = FramedReader.of(stream, BytesCodec.create());
 * for (byte[] piece; (piece = pieces.receiveOrNull()) != null; ) {
 *     digest.update(piece);
 * }
 * }</pre>
 *
 * @since 0.1
 */
public final class BytesCodec implements Codec<byte[], byte[]> {
    private BytesCodec() {}

    /** {@return a codec for bytes as they come} It has no state. */
    public static BytesCodec create() {
        return new BytesCodec();
    }

    @Override
    public byte @Nullable [] decode(ByteBuffer input) {
        if (!input.hasRemaining()) {
            return null;
        }
        byte[] bytes = new byte[input.remaining()];
        input.get(bytes);
        return bytes;
    }

    @Override
    public void encode(byte[] frame, FrameBuffer target) {
        target.put(frame);
    }
}
