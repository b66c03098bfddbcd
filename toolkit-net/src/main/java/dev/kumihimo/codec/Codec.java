package dev.kumihimo.codec;

/**
 * Frames in both directions of a stream.
 *
 * @param <I> the frames that are received
 * @param <O> the frames that are sent
 * @since 0.1
 */
public interface Codec<I, O> extends Decoder<I>, Encoder<O> {}
