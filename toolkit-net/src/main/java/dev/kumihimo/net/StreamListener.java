package dev.kumihimo.net;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What takes connections, whatever they are made of: TCP, TLS over it, local sockets.
 *
 * <pre>{@code
 * StreamListener<TcpStream> listener = TcpListener.bind("127.0.0.1", 9090);
 * }</pre>
 *
 * <p>To be selected on, it is ready when a connection may wait to be accepted.
 *
 * @param <S> its connections
 * @since 0.1
 */
public interface StreamListener<S extends ByteStream> extends Selectable<@Nullable Void>, AutoCloseable {
    /**
     * Takes the next connection, waiting for one. Those who wait are served first come, first served.
     *
     * @return the connection, a socket of the caller's runtime
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; no connection was taken
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the system cannot give it, say because no descriptors are left; the listener stays usable
     */
    S accept() throws IOException;

    /**
     * Takes the next connection, waiting at most a given time for one.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.SocketTimeoutException if none came in time; the interrupt flag is left alone
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; no connection was taken
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the system cannot give it, say because no descriptors are left; the listener stays usable
     */
    S accept(Duration timeout) throws IOException;

    /**
     * Takes the next connection if there is one now and nobody waits for it. Never waits.
     *
     * @return the connection, a socket of the caller's runtime; or null
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system cannot give it, say because no descriptors are left; the listener stays usable
     */
    @Nullable
    S tryAccept() throws IOException;

    /**
     * {@return what logs and dumps call the other side of a connection, such as {@code 127.0.0.1:43210}}
     *
     * @param connection one that this listener has accepted
     */
    default String peerName(S connection) {
        return connection.toString();
    }

    /** {@return whether it has not been closed} */
    boolean isOpen();

    /**
     * Closes the listener; connections that nobody accepted are reset, those that were accepted live on. Idempotent.
     *
     * @throws IOException if the system reports an error; the listener is closed nevertheless
     */
    @Override
    void close() throws IOException;
}
