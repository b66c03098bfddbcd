package dev.kumihimo.net;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.Semaphore;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** One connection of a {@link TcpServer}: its stream, its place under the limit, and the task that has both. */
final class Session<S extends ByteStream> {
    private final TcpServer<S> server;
    private final S stream;
    private final String name;
    private final Semaphore.Permit place;
    private final AtomicBoolean finished = new AtomicBoolean();
    private @Nullable JoinHandle<?> handle; // of the thread that serves
    private volatile @Nullable Task task; // once it has begun

    Session(TcpServer<S> server, S stream, String peer, Semaphore.Permit place) {
        this.server = server;
        this.stream = stream;
        this.name = "session-" + peer;
        this.place = place;
    }

    S stream() {
        return stream;
    }

    /** Starts the task. One that is refused, since its runtime or service has ended, is finished at once. */
    void start(TcpServer.Handler<? super S> handler, TcpServer.Spawner spawner) {
        handle = spawner.spawn(name, () -> {
            run(handler);
            return null;
        });
        if (isFinished()) {
            finish();
        }
    }

    private void run(TcpServer.Handler<? super S> handler) throws Exception {
        task = Task.current();
        try {
            if (!finished.get()) { // else its start has failed, and yet it was started
                handler.handle(stream);
            }
        } catch (Throwable e) {
            if (isCancellation(e)) {
                throw e; // so that the task ends as cancelled
            }
            server.failed(this, e); // which tells of it: as a failure of the task it would be told once more
        } finally {
            finish();
        }
    }

    private static boolean isCancellation(Throwable e) {
        boolean interrupted = e instanceof InterruptedException
                || e instanceof ClosedByInterruptException
                || e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException);
        return interrupted && Task.current().isAborted()
                || e instanceof TaskCancelledException cancelled
                        && cancelled.reason().kind() == CancelReason.Kind.TOKEN;
    }

    boolean isRunBy(Task caller) {
        return task == caller;
    }

    /** Closes the stream and gives the place back, whoever comes first. */
    void finish() {
        if (finished.compareAndSet(false, true)) {
            try {
                TcpServer.closeQuietly(stream);
            } finally {
                server.finished(this);
                place.close();
                server.released();
            }
        }
    }

    void awaitEnd(Duration timeout) throws InterruptedException, TimeoutException {
        if (handle != null) {
            handle.result(timeout);
        }
    }

    /** Whether the task has ended, its cleanup included, or was never made. */
    boolean isFinished() {
        return handle == null || handle.isFinished();
    }

    void abort() {
        if (handle != null) {
            handle.abort();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
