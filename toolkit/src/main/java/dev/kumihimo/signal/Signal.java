package dev.kumihimo.signal;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Listens for a signal of the operating system: from {@link #listen} on, each one is there to be received, until the listener
 * is closed.
 *
 * <pre>{@code
 * try (Signal hangup = Signal.listen(SignalKind.HANGUP)) {
 *     while (true) {
 *         hangup.receive();
 *         configuration.set(read(path));
 *     }
 * }
 * }</pre>
 *
 * <p><b>Bursts.</b> As the system itself does, a listener keeps one notification: several signals of which none was received
 * count as one. What is received tells of all signals before it; one that comes after it is received once more.
 *
 * <p><b>Several listeners.</b> All listeners of a kind are told of each signal, whatever runtimes their owners belong to. Closing
 * one, or a runtime, leaves the others as they are. Any thread may call any method; of several that wait at one listener, the
 * first in line is told.
 *
 * <p><b>Instead of the default.</b> While anybody listens for a kind, what the signal did before it does no longer: SIGTERM does
 * not end the process. When the last listener closes, the handler that was there before is put back, be it the JVM's default
 * or somebody else's. A listener that is lost without being closed listens for ever. A signal that the process was started to
 * ignore, as shells do with SIGINT for programs in the background, stays ignored.
 *
 * <p><b>What cannot be listened for.</b> {@link #listen} throws for KILL and STOP, which the system keeps; for QUIT, SEGV, ILL, FPE,
 * BUS and TRAP, which the JVM needs; and for what this system does not have.
 *
 * <p><b>Where there are no signals.</b> In a run-time image without the module {@code jdk.unsupported}, or a program on the module
 * path that has not added it ({@code --add-modules jdk.unsupported}), the listeners of SIGINT, SIGTERM and SIGHUP are told by a
 * shutdown hook instead that the process is about to end, whichever it was. The hook then waits until they are closed, 10 s at
 * most; the exit code stays the signal's. So it is under {@code -Xrs}, where these signals end the process without any hook,
 * and only {@code System.exit} is heard of. The first such listener logs this once.
 *
 * <p><b>Memory.</b> A signal publishes nothing of what its sender did.
 *
 * @since 0.1
 */
public final class Signal implements Selectable<SignalKind>, AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** Holds the one notification: what finds it full is told by the one that is there. */
    private final Channel<SignalKind> notification = Channel.bounded(1);

    private final SignalKind kind;
    private final SignalSource.Listener listener;

    /** Creates a listener that no source knows. */
    Signal(SignalKind kind) {
        this.kind = Objects.requireNonNull(kind, "kind");
        this.listener = new Telling(kind);
    }

    /**
     * Listens for a kind of signal from now on. Never waits.
     *
     * @param kind which
     * @return the listener, to be closed
     * @throws IllegalArgumentException if it is one that cannot be listened for here; the message tells which and why
     */
    public static Signal listen(SignalKind kind) {
        Signal signal = new Signal(kind);
        SignalSource.add(signal.listener);
        return signal;
    }

    /**
     * Listens for Ctrl-C from now on: {@link SignalKind#INTERRUPT}.
     *
     * @return the listener, to be closed
     */
    public static Signal ctrlC() {
        return listen(SignalKind.INTERRUPT);
    }

    /** {@return what it listens for} */
    public SignalKind kind() {
        return kind;
    }

    /**
     * Waits for a signal, or takes the notification of one that has come. Waiters are served in the order of arrival.
     *
     * @return its kind
     * @throws InterruptedException if interrupted or cancelled while it would wait; no notification was taken
     * @throws ChannelClosedException if the listener is closed, before or while it waits, and no notification is left
     */
    public SignalKind receive() throws InterruptedException {
        return notification.receive();
    }

    /**
     * Takes the notification of a signal that has come, if there is one. Never waits.
     *
     * @return its kind, or null if none has come
     * @throws ChannelClosedException if the listener is closed, and no notification is left
     */
    public @Nullable SignalKind tryReceive() {
        return notification.tryReceive();
    }

    /**
     * As {@link #receive()}, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return its kind
     * @throws InterruptedException if interrupted or cancelled while it would wait; no notification was taken
     * @throws TimeoutException if none came in time; none was taken
     * @throws ChannelClosedException if the listener is closed, before or while it waits, and no notification is left
     */
    public SignalKind receive(Duration timeout) throws InterruptedException, TimeoutException {
        return notification.receive(timeout);
    }

    /** {@return the wait for a signal, to be selected on} */
    @Override
    public Clause<SignalKind> clause() {
        return notification.clause();
    }

    /**
     * Listens no longer, and ends the waits of others here; the last one of a kind puts the previous handler back. Idempotent,
     * never waits.
     */
    @Override
    public void close() {
        SignalSource.remove(listener);
        notification.close();
    }

    /** A signal has come. */
    void told() {
        notification.trySend(kind); // full: what it holds tells of this one too
    }

    @Override
    public String toString() {
        return "Signal[" + kind + (notification.isClosed() ? ", closed]" : "]");
    }

    private final class Telling extends SignalSource.Listener {
        Telling(SignalKind kind) {
            super(kind, PATIENCE);
        }

        @Override
        void told(int number) {
            Signal.this.told();
        }

        @Override
        void ending() {
            Signal.this.told();
        }

        @Override
        void awaitEnd(Duration timeout) throws InterruptedException, TimeoutException {
            notification.awaitClosed(timeout);
        }

        @Override
        public String toString() {
            return Signal.this.toString();
        }
    }
}
