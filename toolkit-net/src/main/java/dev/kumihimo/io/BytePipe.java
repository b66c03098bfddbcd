package dev.kumihimo.io;

/**
 * One direction in memory: what is written to the sink is read from the source. See {@link ByteStreams#pipe}.
 *
 * <pre>{@code
 * BytePipe pipe = ByteStreams.pipe(8192);
 * Task.spawn(() -> { try (ByteSink out = pipe.sink()) { report.writeTo(out); } });
 * upload(pipe.source());
 * }</pre>
 *
 * @param source the reading end
 * @param sink the writing end
 * @since 0.1
 */
public record BytePipe(ByteSource source, ByteSink sink) {}
