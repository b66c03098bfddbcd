package dev.kumihimo.benchmarks.workload;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What the raw HTTP servers of all Java columns share: the fixed answer, and where a request ends. */
final class HelloServer {
    /** 75 bytes, as in every other column. */
    private static final byte[] ANSWER =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nHi, world!"
                    .getBytes(StandardCharsets.US_ASCII);

    /** Bytes a connection can hold of requests that are not yet answered. */
    static final int BUFFER_SIZE = 2048;

    /** The four bytes of a blank line, in network order. */
    static final int BLANK_LINE = '\r' << 24 | '\n' << 16 | '\r' << 8 | '\n';

    private HelloServer() {}

    /** A buffer of its own for each connection, ready to be written. */
    static ByteBuffer answer() {
        return ByteBuffer.allocateDirect(ANSWER.length).put(ANSWER).flip();
    }

    /** The index behind the first blank line of what the buffer holds between 0 and its position; -1 if there is none. */
    static int endOfRequest(ByteBuffer buffer) {
        for (int i = 0; i <= buffer.position() - Integer.BYTES; i++) {
            if (buffer.get(i) == '\r' && buffer.getInt(i) == BLANK_LINE) {
                return i + Integer.BYTES;
            }
        }
        return -1;
    }

    /** Drops the first bytes and makes the buffer ready for more. */
    static void drop(ByteBuffer buffer, int bytes) {
        buffer.flip().position(bytes);
        buffer.compact();
    }
}
