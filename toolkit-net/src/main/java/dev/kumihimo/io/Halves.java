package dev.kumihimo.io;

/**
 * The two halves of a stream, for two tasks that end independently of each other. See {@link ByteStream#split()}.
 *
 * <pre>{@code
 * Halves halves = stream.split();
 * Task.spawn(() -> { try (WriteHalf output = halves.output()) { sendTo(output); } });
 * try (ReadHalf input = halves.input()) {
 *     receiveFrom(input);
 * }
 * }</pre>
 *
 * @param input what reads
 * @param output what writes
 * @since 0.1
 */
public record Halves(ReadHalf input, WriteHalf output) {
    /**
     * Gives back the stream of which two halves are, for whoever is done with both. The halves are closed by it, and the stream is
     * not; what waits through them goes on.
     *
     * @param input its reading half
     * @param output its writing half
     * @return the stream that was split
     * @throws IllegalArgumentException if they are halves of different streams, or of different splits of one
     * @throws IllegalStateException if one of them was closed or forgotten, or they were reunited before
     */
    public static ByteStream reunite(ReadHalf input, WriteHalf output) {
        if (!input.isPairOf(output)) {
            throw new IllegalArgumentException(
                    "input=" + input + " and output=" + output + " must be halves of the same split");
        }
        return input.split.reunite();
    }
}
