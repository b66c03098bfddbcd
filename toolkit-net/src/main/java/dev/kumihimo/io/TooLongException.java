package dev.kumihimo.io;

import java.io.IOException;

/**
 * What was to be read is longer than was allowed. Nothing of it was taken: it can be skipped, or read with a higher limit.
 *
 * <pre>{@code
 * try {
 *     line = reader.readLine(1024);
 * } catch (TooLongException e) {
 *     reader.skipUntil((byte) '\n');
 *     answer("500 line longer than " + e.maxLength() + " bytes");
 * }
 * }</pre>
 *
 * @since 0.1
 */
public final class TooLongException extends IOException {
    private static final long serialVersionUID = 1;

    /** How long it might have been. */
    private final int maxLength;

    TooLongException(String what, int maxLength) {
        super(what + " is longer than maxLength=" + maxLength + " bytes");
        this.maxLength = maxLength;
    }

    /** {@return how many bytes were allowed} */
    public int maxLength() {
        return maxLength;
    }
}
