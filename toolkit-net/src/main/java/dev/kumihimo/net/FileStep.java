package dev.kumihimo.net;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/*
 * An interrupt in the middle of a transfer would close the file and the socket. So the job is shielded, as those of the room
 * dev.kumihimo.fs are: it runs to its end once it has begun, and a caller that is interrupted meanwhile gets its outcome, and its
 * interrupt back, which strikes at the next wait.
 *
 * Fields: written by the job's thread before the job ends, read by the caller after it; Task.blocking orders the two.
 */

/** One transfer from a file to a non-blocking socket, as a blocking job: the disk may be slow. */
final class FileStep implements Body<@Nullable Void, RuntimeException> {
    /** How many bytes a step moves at most, which is how long a cancellation may have to wait. */
    private static final long LIMIT = 1 << 20;

    private final SocketChannel channel;
    private final FileChannel file;
    private final long position;
    private final long wanted;

    private long moved;
    private boolean atEnd;
    private boolean ended;
    private @Nullable Throwable failure;

    FileStep(SocketChannel channel, FileChannel file, long position, long wanted) {
        this.channel = channel;
        this.file = file;
        this.position = position;
        this.wanted = Math.min(wanted, LIMIT);
    }

    /**
     * Does it.
     *
     * @return how many bytes were moved
     * @throws java.io.InterruptedIOException if interrupted or cancelled before it began; nothing was moved
     */
    long transfer() throws IOException {
        try {
            Task.checkCancelled();
            if (Task.currentOrNull() != null && !Thread.currentThread().isVirtual()) {
                call(); // a blocking job itself: a pool whose threads all wait for another one would stand still
            } else {
                Task.blocking(this);
            }
        } catch (InterruptedException e) {
            if (!ended) {
                throw TaskCancelledException.forIo(e);
            }
            Waiter.current().interruptAgain(e instanceof TaskCancelledException);
        }
        return switch (failure) {
            case null -> moved;
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new AssertionError("undeclared", e);
        };
    }

    @Override
    public @Nullable Void call() {
        try {
            Task.<IOException>shield(() -> {
                moved = file.transferTo(position, wanted, channel);
                atEnd = moved < wanted && (position + moved >= file.size() || (moved == 0 && hasNothing()));
            });
        } catch (Throwable e) {
            failure = e;
        }
        ended = true;
        return null;
    }

    /** Asks the file itself: the size of one that the kernel makes, as those below /sys, may be more than its content. */
    private boolean hasNothing() throws IOException {
        return file.read(ByteBuffer.allocate(1), position) < 0;
    }

    /** {@return whether the socket took less than there was} */
    boolean isOutOfRoom() {
        return moved < wanted && !atEnd;
    }

    /** {@return whether the file ended first} */
    boolean isAtEnd() {
        return atEnd;
    }
}
