package dev.kumihimo.tls;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.StreamListener;
import dev.kumihimo.select.Clause;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Takes connections of another listener and makes TLS of them.
 *
 * <pre>{@code
 * TcpListener tcp = TcpListener.bind("0.0.0.0", 443);
 * try (TlsListener listener = server.listen(tcp)) {
 *     TlsStream session = listener.accept();
 * }
 * }</pre>
 *
 * <p>A connection is given out before its handshake, which is done by what reads or writes first or by
 * {@link TlsStream#handshake(Duration)}: in the connection's own task, so that a slow client holds up nobody else.
 *
 * @since 0.1
 */
public final class TlsListener implements StreamListener<TlsStream> {
    private final StreamListener<? extends ByteStream> transport;
    private final TlsServer server;

    TlsListener(StreamListener<? extends ByteStream> transport, TlsServer server) {
        this.transport = transport;
        this.server = server;
    }

    @Override
    public TlsStream accept() throws IOException {
        return wrap(transport.accept());
    }

    @Override
    public TlsStream accept(Duration timeout) throws IOException {
        return wrap(transport.accept(timeout));
    }

    @Override
    public @Nullable TlsStream tryAccept() throws IOException {
        ByteStream accepted = transport.tryAccept();
        return accepted == null ? null : wrap(accepted);
    }

    private TlsStream wrap(ByteStream accepted) {
        try {
            return server.wrap(accepted);
        } catch (RuntimeException | Error e) { // of the JDK's engine: nobody else has the connection
            try {
                accepted.close();
            } catch (IOException close) {
                e.addSuppressed(close);
            }
            throw e;
        }
    }

    /** {@return what the listener below calls the other side} */
    @Override
    public String peerName(TlsStream connection) {
        return peerName(transport, connection.transport());
    }

    @SuppressWarnings("unchecked") // the listener below has accepted it
    private static <S extends ByteStream> String peerName(StreamListener<S> listener, ByteStream accepted) {
        return listener.peerName((S) accepted);
    }

    @Override
    public Clause<@Nullable Void> clause() {
        return transport.clause();
    }

    /** {@return the listener below, for its address} */
    public StreamListener<? extends ByteStream> transport() {
        return transport;
    }

    @Override
    public boolean isOpen() {
        return transport.isOpen();
    }

    @Override
    public void close() throws IOException {
        transport.close();
    }

    @Override
    public String toString() {
        return "TLS over " + transport;
    }
}
