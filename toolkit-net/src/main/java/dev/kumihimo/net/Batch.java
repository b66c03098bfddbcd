package dev.kumihimo.net;

import java.nio.ByteBuffer;

/**
 * The first buffers of an array that go into one vectored system call: all of them, unless there are more than it takes, or
 * those on the heap have more bytes than one call is to copy. The last one may have its limit lowered until {@link #restore}.
 */
final class Batch {
    /**
     * The most buffers in one system call, without empty ones: {@code IOV_MAX} of Linux and macOS. The JDK leaves out those beyond
     * it, which would look as if the system had no room for them.
     */
    static final int BUFFERS = 1024;

    /** How many buffers from the start. */
    final int count;

    /** How many bytes they have or have room for. */
    final long bytes;

    private final ByteBuffer last;
    private final int limit;

    private Batch(int count, long bytes, ByteBuffer last, int limit) {
        this.count = count;
        this.bytes = bytes;
        this.last = last;
        this.limit = limit;
    }

    /** {@return the batch of an array that has something remaining} */
    static Batch of(ByteBuffer[] buffers, int offset, int length) {
        long bytes = 0;
        int heap = SocketOutput.CHUNK;
        int full = 0;
        for (int i = 0; i < length; i++) {
            ByteBuffer buffer = buffers[offset + i];
            int remaining = buffer.remaining();
            if (!buffer.isDirect()) {
                if (remaining >= heap) {
                    int limit = buffer.limit();
                    buffer.limit(buffer.position() + heap);
                    return new Batch(i + 1, bytes + heap, buffer, limit);
                }
                heap -= remaining;
            }
            bytes += remaining;
            if (remaining > 0 && ++full == BUFFERS) {
                return new Batch(i + 1, bytes, buffer, buffer.limit());
            }
        }
        ByteBuffer last = buffers[offset + length - 1];
        return new Batch(length, bytes, last, last.limit());
    }

    void restore() {
        last.limit(limit);
    }

    /** {@return how many bytes buffers have together} */
    static long remaining(ByteBuffer[] buffers, int offset, int length) {
        long sum = 0;
        for (int i = offset; i < offset + length; i++) {
            sum += buffers[i].remaining();
        }
        return sum;
    }
}
