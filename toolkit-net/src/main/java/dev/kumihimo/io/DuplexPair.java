package dev.kumihimo.io;

import java.io.IOException;

/**
 * The two ends of a connection in memory: what is written to one is read from the other. See {@link ByteStreams#duplex}.
 *
 * <pre>{@code
 * try (DuplexPair pair = ByteStreams.duplex(64)) {
 *     Task.spawn(() -> serve(pair.second()));
 *     assertThat(ask(pair.first())).isEqualTo("PONG");
 * }
 * }</pre>
 *
 * @param first one end
 * @param second the other end
 * @since 0.1
 */
public record DuplexPair(ByteStream first, ByteStream second) implements AutoCloseable {
    /** Closes both ends. Never waits. */
    @Override
    public void close() throws IOException {
        try {
            first.close();
        } finally {
            second.close();
        }
    }
}
