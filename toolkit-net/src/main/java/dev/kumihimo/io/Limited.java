package dev.kumihimo.io;

import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * At most so many bytes of a source, then its end. See {@link ByteStreams#take}.
 *
 * <pre>{@code
 * Limited body = ByteStreams.take(connection, contentLength);
 * handler.handle(body);
 * if (body.limit() > 0) {
 *     connection.close(); // not read to its end
 * }
 * }</pre>
 *
 * <p>Belongs to one thread at a time. Takes nothing from the source beyond its bytes. Closing it closes the source; leave it
 * unclosed to go on with that.
 *
 * @since 0.1
 */
public final class Limited extends SourceView {
    private final ByteSource source;
    private long limit;

    Limited(ByteSource source, long limit) {
        this.source = Objects.requireNonNull(source, "source");
        limit(limit);
    }

    /** {@return how many bytes can still be read, if the source has so many; 0 or more} */
    public long limit() {
        return limit;
    }

    /**
     * Sets how many bytes can still be read, whatever was read before.
     *
     * @param limit 0 or more
     * @throws IllegalArgumentException if negative
     */
    public void limit(long limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit=" + limit + " must not be negative");
        }
        this.limit = limit;
    }

    /** {@return where it reads from} */
    public ByteSource source() {
        return source;
    }

    @Override
    int readBefore(ByteBuffer target, long deadline) throws IOException {
        if (limit == 0) {
            return -1;
        }
        int first = target.position();
        int count = readAtMost(source, target, limit, deadline);
        limit -= target.position() - first;
        return count;
    }

    /** {@return that there may be something to read, to be selected on} Or that the limit is reached. */
    @Override
    public Selectable<@Nullable Void> readable() {
        return Ready.either(() -> limit == 0, source::readable);
    }

    @Override
    public boolean isOpen() {
        return source.isOpen();
    }

    @Override
    public void close() throws IOException {
        source.close();
    }

    @Override
    public String toString() {
        return "at most " + limit + " bytes of " + source;
    }
}
