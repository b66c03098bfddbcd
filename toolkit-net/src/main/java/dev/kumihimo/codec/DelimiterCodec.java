package dev.kumihimo.codec;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Chunks of bytes that end with a delimiter: a sequence of bytes, or any one of several bytes. The delimiter is no part of
 * a frame. At the end of the stream what is left is the last frame, if it is not empty.
 *
 * <pre>{@code
 * var blocks = Framed.of(stream, DelimiterCodec.of("\r\n\r\n".getBytes(US_ASCII), 16 * 1024));
 * byte[] header = blocks.receive();
 * }</pre>
 *
 * <p>A chunk that is too long is a {@linkplain FrameException#recoverable() recoverable} error: what follows it can be
 * received. A frame is sent as it is, with the delimiter after it: one that contains a delimiter arrives as several.
 *
 * <p>Belongs to one stream.
 *
 * @since 0.1
 */
public final class DelimiterCodec implements Codec<byte[], byte[]> {
    private final Chunker chunks;
    private final byte[] sent;

    private DelimiterCodec(Chunker chunks, byte[] sent) {
        this.chunks = chunks;
        this.sent = sent;
    }

    /**
     * {@return a codec for chunks that end with a sequence of bytes}
     *
     * @param delimiter the sequence, at least a byte
     * @param maxLength how many bytes a received chunk may have at most, without the delimiter; 1 or more. What is longer is not
     *     kept
     * @throws IllegalArgumentException if either is out of range
     */
    public static DelimiterCodec of(byte[] delimiter, int maxLength) {
        byte[] copy = Chunker.checked(delimiter, "delimiter");
        return new DelimiterCodec(Chunker.sequence(copy, maxLength, "a chunk"), copy);
    }

    /**
     * {@return a codec for chunks that end with any of several bytes}
     *
     * @param delimiters the bytes, at least one
     * @param sent what follows the frames that are sent, at least a byte
     * @param maxLength how many bytes a received chunk may have at most, without the delimiter; 1 or more. What is longer is not
     *     kept
     * @throws IllegalArgumentException if any of them is out of range
     */
    public static DelimiterCodec anyOf(byte[] delimiters, byte[] sent, int maxLength) {
        return new DelimiterCodec(Chunker.anyOf(delimiters, maxLength, "a chunk"), Chunker.checked(sent, "sent"));
    }

    @Override
    public byte @Nullable [] decode(ByteBuffer input) throws FrameException {
        int length = chunks.find(input);
        if (length < 0) {
            return null;
        }
        byte[] chunk = new byte[length];
        input.get(chunk);
        input.position(input.position() + chunks.width());
        return chunk;
    }

    @Override
    public byte @Nullable [] decodeEnd(ByteBuffer input) throws FrameException {
        byte[] chunk = decode(input);
        if (chunk != null) {
            return chunk;
        }
        int length = chunks.rest(input);
        if (length == 0) {
            return null;
        }
        byte[] last = new byte[length];
        input.get(last);
        return last;
    }

    @Override
    public void encode(byte[] frame, FrameBuffer target) {
        target.put(frame);
        target.put(sent);
    }
}
