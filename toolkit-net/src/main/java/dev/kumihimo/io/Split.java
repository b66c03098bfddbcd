package dev.kumihimo.io;

import dev.kumihimo.task.CancellationToken;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** What two halves have in common: their stream, and which of them is still open. */
final class Split {
    static final int READ = 1;
    static final int WRITE = 2;

    private static final int REUNITED = 4;

    final ByteStream stream;

    /** Cancelled when the reading half is closed, which leaves the stream open and so would not end a read by itself. */
    final CancellationToken readEnd = CancellationToken.create("reading half");

    /** The halves that are open. Each bit is cleared once, by who closes or reunites; who clears the last closes the stream. */
    private final AtomicInteger open = new AtomicInteger(READ | WRITE);

    Split(ByteStream stream) {
        this.stream = stream;
    }

    boolean isOpen(int half) {
        return (open.get() & half) != 0 && stream.isOpen();
    }

    /** {@return whether it was open until now} */
    boolean close(int half) {
        return (open.getAndUpdate(bits -> bits & ~half) & half) != 0;
    }

    /** Closes the stream if no half is open. */
    void closeIfLast() throws IOException {
        if (open.get() == 0) { // may be found so by both: closing is idempotent
            stream.close();
        }
    }

    /** Ends both halves, and leaves the stream open. */
    ByteStream reunite() {
        if (!open.compareAndSet(READ | WRITE, REUNITED)) {
            throw new IllegalStateException(
                    open.get() == REUNITED ? "the halves were reunited already" : "a half was closed: " + stream);
        }
        return stream;
    }
}
