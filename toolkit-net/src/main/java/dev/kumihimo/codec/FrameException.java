package dev.kumihimo.codec;

import java.io.IOException;

/**
 * Bytes that are no frame, or a frame that cannot be sent.
 *
 * <pre>{@code
 * if (length > maximum) {
 *     throw new FrameException("length=" + length + " of a frame is more than the maximum of " + maximum);
 * }
 * }</pre>
 *
 * @since 0.1
 */
public class FrameException extends IOException {
    private static final long serialVersionUID = 1;

    private final boolean recoverable;

    /**
     * Creates an exception after which no further frame can be found.
     *
     * @param message what is wrong, with the values
     */
    public FrameException(String message) {
        this(message, false);
    }

    /**
     * Creates an exception.
     *
     * @param message what is wrong, with the values
     * @param recoverable whether the decoder knows where the next frame begins, and goes on there when asked again
     */
    public FrameException(String message, boolean recoverable) {
        super(message);
        this.recoverable = recoverable;
    }

    /** {@return whether the decoder goes on with the next frame when asked again} Otherwise the stream is of no more use. */
    public boolean recoverable() {
        return recoverable;
    }
}
