package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a process of the same machine: a stream socket of the Unix domain, which has a path for an address.
 *
 * <pre>{@code
 * try (var stream = UnixStream.connect(Path.of("/run/database.sock"))) {
 *     stream.writeAll(ByteBuffer.wrap(request));
 *     stream.shutdownOutput();
 *     byte[] answer = stream.inputStream().readAllBytes();
 * }
 * }</pre>
 *
 * <p>Its habits are those of {@link ByteStream}: threads, turns, interruption, cancellation and closing. It has to be closed.
 * What reads into several buffers, or writes from several, waits and takes turns as with one: it fills or empties the first
 * before the next.
 *
 * <p>Paths alone are addresses, no abstract names: the JDK has none. Also on Windows 10 and later, without
 * {@link #peerCredentials()}.
 *
 * <p><b>Errors.</b> What goes wrong with the connection, such as a reset by the peer, is a {@link SocketException} whose message
 * names both addresses. A stream whose runtime is shut down throws {@link IOException}.
 *
 * @since 0.1
 */
public final class UnixStream extends ChannelStream {
    /** What the directories of {@link #pair()} begin with, before the number of the process. */
    static final String PAIR = "kumihimo";

    private final UnixDomainSocketAddress localAddress;
    private final UnixDomainSocketAddress peerAddress;

    private UnixStream(SocketChannel channel, Readiness readiness) throws IOException {
        super(channel, readiness);
        this.localAddress = (UnixDomainSocketAddress) channel.getLocalAddress();
        this.peerAddress = (UnixDomainSocketAddress) channel.getRemoteAddress();
    }

    /** Takes over a connected channel, which it closes if it fails. */
    static UnixStream adopt(SocketChannel connected) throws IOException {
        return adopt(connected, UnixStream::new);
    }

    /* ---------------- Connecting -------------- */

    /**
     * Connects to the listener at a path. If as many connections as it holds wait to be accepted already, this waits for room on
     * a thread of the blocking pool.
     *
     * @param path where it listens, at most about 100 bytes long
     * @return the connection, a socket of the caller's runtime
     * @throws ConnectException if nobody listens there any more; it names the path, as all of these do
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing is left of it
     * @throws IOException if there is no such path, it is too long or not permitted, the system has no descriptors left, or the
     *     runtime is shut down
     * @throws IllegalArgumentException if the path is not one of the default file system
     */
    public static UnixStream connect(Path path) throws IOException {
        return connectBefore(path, Deadlines.NEVER);
    }

    /**
     * Connects to the listener at a path, waiting at most a given time for room, see {@link #connect(Path)}.
     *
     * @param path where it listens, at most about 100 bytes long
     * @param timeout the longest wait; zero or negative does not wait, and throws what the system says if there is no room
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.SocketTimeoutException if there was no room in time; nothing is left of it, and the interrupt flag is left
     *     alone
     * @throws ConnectException if nobody listens there any more; it names the path, as all of these do
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing is left of it
     * @throws IOException if there is no such path, it is too long or not permitted, the system has no descriptors left, or the
     *     runtime is shut down
     * @throws IllegalArgumentException if the path is not one of the default file system
     */
    public static UnixStream connect(Path path, Duration timeout) throws IOException {
        return connectBefore(path, Deadlines.of(timeout));
    }

    private static UnixStream connectBefore(Path path, long deadline) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        SocketChannel channel;
        try {
            channel = connectNow(address, deadline == Deadlines.NOW);
            if (channel == null) {
                channel = connectBlocking(address, deadline);
            }
        } catch (SocketException e) {
            throw Addresses.at("cannot connect to " + Addresses.text(address), e);
        }
        return adopt(channel);
    }

    /**
     * Connects without waiting, or gives null. A Unix socket that does not block is not told later of the room it needs: the
     * system refuses it at once, with an error that can only be told from others by its text, which is in the user's language.
     * So whatever the error is, the blocking attempt shall tell.
     */
    private static @Nullable SocketChannel connectNow(UnixDomainSocketAddress address, boolean isLast)
            throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        boolean connected = false;
        try {
            channel.configureBlocking(false);
            connected = channel.connect(address);
        } catch (ConnectException e) {
            throw e;
        } catch (SocketException e) {
            if (isLast) {
                throw e;
            }
        } finally {
            if (!connected) {
                channel.close();
            }
        }
        if (!connected && isLast) {
            throw new SocketException("not at once");
        }
        return connected ? channel : null;
    }

    private static SocketChannel connectBlocking(UnixDomainSocketAddress address, long deadline) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            if (deadline == Deadlines.NEVER) {
                Task.<Boolean, IOException>blocking(() -> channel.connect(address));
            } else {
                Timeout.<Boolean, Exception>call(
                        Deadlines.remaining(deadline),
                        () -> Task.<Boolean, IOException>blocking(() -> channel.connect(address)));
            }
            return channel;
        } catch (Throwable e) {
            channel.close();
            if (e instanceof TimeoutException) {
                throw Deadlines.passed("a connect to " + Addresses.text(address));
            }
            if (e instanceof InterruptedException interrupt) {
                throw TaskCancelledException.forIo(interrupt);
            }
            throw rethrown(e);
        }
    }

    /** Throws what a connect can throw besides. */
    private static IOException rethrown(Throwable e) {
        if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof IOException io ? io : new IOException(e);
    }

    /* ---------------- Pairs -------------- */

    /**
     * Two streams that are connected with each other.
     *
     * @param first the one; its peer has no path
     * @param second the other; it has no path itself
     * @since 0.1
     */
    public record Pair(UnixStream first, UnixStream second) implements AutoCloseable {
        /**
         * Closes both.
         *
         * @throws IOException if the system reports an error; both are closed nevertheless
         */
        @Override
        public void close() throws IOException {
            try {
                first.close();
            } finally {
                second.close();
            }
        }
    }

    /**
     * Makes two streams that are connected with each other. The JDK cannot ask the system for them, so a listener is made for a
     * moment, in a new directory that nobody else may enter, on the blocking pool; nothing is left of that.
     *
     * <pre>{@code
     * try (var pair = UnixStream.pair()) {
     *     Task.spawn(() -> serve(pair.second()));
     *     ask(pair.first());
     * }
     * }</pre>
     *
     * @return both, sockets of the caller's runtime
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the directory for temporary files cannot be written or its path is too long, the system has no
     *     descriptors left, or the runtime is shut down
     */
    public static Pair pair() throws IOException {
        SocketChannel[] ends = new SocketChannel[2];
        UnixStream first = null;
        try {
            Task.checkCancelled(); // the pool may be quicker than the wait that would tell
            Task.<IOException>blocking(() -> connectEnds(ends));
            first = adopt(ends[0]);
            UnixStream second = adopt(ends[1]);
            return new Pair(first, second);
        } catch (Throwable e) {
            if (first != null) {
                first.close(); // which has the driver let go of it
            }
            for (SocketChannel end : ends) {
                if (end != null) {
                    end.close();
                }
            }
            if (e instanceof InterruptedException interrupt) {
                throw TaskCancelledException.forIo(interrupt);
            }
            throw rethrown(e);
        }
    }

    private static void connectEnds(SocketChannel[] ends) throws IOException {
        Path directory =
                Files.createTempDirectory(PAIR + ProcessHandle.current().pid() + "-");
        Path path = directory.resolve("s");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
            try {
                listener.bind(address, 1);
                ends[1] = SocketChannel.open(address);
                ends[0] = listener.accept();
            } catch (SocketException e) {
                throw Addresses.at("cannot make a pair at " + path, e);
            }
        } finally {
            Files.deleteIfExists(path);
            Files.deleteIfExists(directory);
        }
    }

    /* ---------------- Who is there -------------- */

    /**
     * Tells who the peer was when it connected, or began to listen: the system vouches for that. The names are looked up in the
     * user database, on the blocking pool.
     *
     * @return the peer's user and group
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system reports an error
     * @throws UnsupportedOperationException if the system cannot tell, or the module {@code jdk.net} is not there ({@code
     *     --add-modules jdk.net} adds it to a program of modules)
     */
    public PeerCredentials peerCredentials() throws IOException {
        try {
            return Task.<PeerCredentials, IOException>blocking(() -> PeerCredentials.of(channel));
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }

    /* ---------------- Options, addresses -------------- */

    /**
     * Sets an option, such as {@link java.net.StandardSocketOptions#SO_SNDBUF}.
     *
     * @param option one of {@link #supportedOptions()}
     * @param value its value
     * @param <T> its type
     * @throws IOException if closed, or the system refuses
     * @throws IllegalArgumentException if the value is out of range
     * @throws UnsupportedOperationException if it is not one of these
     */
    public <T> void option(SocketOption<T> option, T value) throws IOException {
        SocketOptions.set(channel, option, value);
    }

    /**
     * Tells the value of an option.
     *
     * @param option one of {@link #supportedOptions()}
     * @param <T> its type
     * @return its value
     * @throws IOException if closed
     * @throws UnsupportedOperationException if it is not one of these
     */
    public <T> T option(SocketOption<T> option) throws IOException {
        return SocketOptions.get(channel, option);
    }

    /** {@return the options that this system has} */
    public Set<SocketOption<?>> supportedOptions() {
        return channel.supportedOptions();
    }

    /**
     * {@return this side's address: the listener's path if it was accepted, else one with an empty path; known also after
     * closing}
     */
    public UnixDomainSocketAddress localAddress() {
        return localAddress;
    }

    /**
     * {@return the other side's address: the listener's path if this side has connected, else one with an empty path; known also
     * after closing}
     */
    public UnixDomainSocketAddress peerAddress() {
        return peerAddress;
    }

    @Override
    public String toString() {
        return Addresses.text(localAddress) + " -> " + Addresses.text(peerAddress);
    }
}
