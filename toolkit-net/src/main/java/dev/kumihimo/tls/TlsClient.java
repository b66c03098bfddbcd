package dev.kumihimo.tls;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * Makes the client's end of TLS connections.
 *
 * <pre>{@code
 * TlsClient client = TlsClient.builder()
 *         .trust(Files.readString(Path.of("our-ca.pem")))
 *         .alpn("h2", "http/1.1")
 *         .build();
 * try (TlsStream stream = client.connect("db.internal", 5433)) {
 *     ...
 * }
 * }</pre>
 *
 * <p>A server must show a certificate that is trusted, in time, and for the name that it was asked for. Connections of one
 * client to one host and port resume each other's sessions, so make one client and keep it. Immutable; any thread may use it.
 *
 * @since 0.1
 */
public final class TlsClient {
    private static final TlsClient DEFAULTS = builder().build();

    private final Builder settings;

    /** Made at first use if it needs the JDK's trust store, which is a file: two that are first make it twice. */
    private volatile @Nullable SSLContext context;

    private TlsClient(Builder settings, @Nullable SSLContext context) {
        this.settings = settings;
        this.context = context;
    }

    /** {@return the client that trusts whom the JDK trusts ({@link SSLContext#getDefault()}), and shows no certificate} */
    public static TlsClient ofDefaults() {
        return DEFAULTS;
    }

    /** {@return what makes a client} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Connects to a host's port, and does the handshake.
     *
     * @param host a name or a literal address
     * @param port 1 to 65535
     * @return the connection, after its handshake
     * @throws javax.net.ssl.SSLHandshakeException if the server is not trusted, or cannot agree; nothing is left of it
     * @throws java.net.ConnectException if the last address refuses; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, or the system has no descriptors left
     * @throws IllegalArgumentException if the port is out of range
     */
    public TlsStream connect(String host, int port) throws IOException {
        return handshaken(TcpStream.connect(host, port), host, port, Deadlines.NEVER);
    }

    /**
     * Connects to a host's port, and does the handshake, in at most a given time for all of it, the reading of the JDK's trust
     * store at first use included. If the time passes meanwhile, that goes on for the next call.
     *
     * @param host a name or a literal address
     * @param port 1 to 65535
     * @param timeout the longest wait; zero or negative does not wait
     * @return the connection, after its handshake
     * @throws java.net.SocketTimeoutException if it takes longer; nothing is left of it, and the interrupt flag is left alone
     * @throws javax.net.ssl.SSLHandshakeException if the server is not trusted, or cannot agree; nothing is left of it
     * @throws java.net.ConnectException if the last address refuses; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, or the system has no descriptors left
     * @throws IllegalArgumentException if the port is out of range
     */
    public TlsStream connect(String host, int port, Duration timeout) throws IOException {
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port=" + port + " must be 1 to 65535");
        }
        long deadline = Deadlines.of(timeout);
        context(deadline);
        return handshaken(
                TcpStream.connect(InetSocketAddress.createUnresolved(host, port), Deadlines.remaining(deadline)),
                host,
                port,
                deadline);
    }

    private TlsStream handshaken(TcpStream transport, String host, int port, long deadline) throws IOException {
        try {
            TlsStream stream = wrap(transport, host, port);
            if (deadline == Deadlines.NEVER) {
                stream.handshake();
            } else {
                stream.handshake(Deadlines.remaining(deadline));
            }
            return stream;
        } catch (Throwable e) {
            transport.close();
            throw e;
        }
    }

    /**
     * Makes the client's end over a stream that leads to a server already. The handshake is done later: by
     * {@link TlsStream#handshake()}, or by what reads or writes first.
     *
     * @param transport from now on the result's
     * @param host the server's name or literal address, for which its certificate must be
     * @param port the server's; with the host it says whose sessions are resumed
     * @return the stream
     * @throws InterruptedIOException if interrupted or cancelled while the JDK's trust store is read
     * @throws IOException if that cannot be read
     */
    public TlsStream wrap(ByteStream transport, String host, int port) throws IOException {
        String name = settings.serverName == null ? host : settings.serverName;
        SSLEngine engine = context(Deadlines.NEVER).createSSLEngine(name, port);
        engine.setUseClientMode(true);
        SSLParameters parameters = Settings.parameters(settings.protocols, settings.alpn);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        SNIHostName sent = sentName(name);
        if (sent != null) {
            parameters.setServerNames(List.of(sent));
        }
        engine.setSSLParameters(parameters);
        return new TlsStream(transport, engine, sent == null ? null : sent.getAsciiName());
    }

    /** {@return the name as it is sent; literal addresses are not} */
    private static @Nullable SNIHostName sentName(String name) {
        if (name.indexOf(':') >= 0 || name.matches("[0-9.]*")) {
            return null;
        }
        try {
            return new SNIHostName(name.endsWith(".") ? name.substring(0, name.length() - 1) : name);
        } catch (IllegalArgumentException e) {
            return null; // such as one with an underline: no certificate will be for it either
        }
    }

    private SSLContext context(long deadline) throws IOException {
        SSLContext made = context;
        if (made != null) {
            return made;
        }
        try {
            JoinHandle<SSLContext> making = deadline == Deadlines.NEVER
                    ? Task.<SSLContext>spawnBlockingWhenRoom(this::makeContext)
                    : Timeout.<JoinHandle<SSLContext>, InterruptedException>call(
                            Deadlines.remaining(deadline),
                            () -> Task.<SSLContext>spawnBlockingWhenRoom(this::makeContext));
            return deadline == Deadlines.NEVER ? making.join() : making.join(Deadlines.remaining(deadline));
        } catch (RejectedExecutionException e) {
            throw new IOException("there was no room to read the JDK's trust store", e);
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        } catch (TimeoutException e) {
            throw Deadlines.passed("reading the JDK's trust store");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof Error error) {
                throw error;
            }
            throw new IOException("the JDK's trust store cannot be used: " + cause, cause);
        }
    }

    private SSLContext makeContext() throws GeneralSecurityException {
        SSLContext made = settings.newContext();
        context = made;
        return made;
    }

    /**
     * Makes a {@link TlsClient}. Belongs to one thread at a time.
     *
     * <pre>{@code
     * TlsClient client = TlsClient.builder().identity(TlsIdentity.ofPem(chain, key)).build();
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Builder {
        private @Nullable SSLContext context;
        private @Nullable List<X509Certificate> trusted;
        private final List<IdentityKeys.Entry> keys;
        private List<String> alpn = List.of();
        private List<String> protocols = Settings.PROTOCOLS;
        private @Nullable String serverName;

        private Builder() {
            keys = new ArrayList<>();
        }

        private Builder(Builder other) {
            context = other.context;
            trusted = other.trusted;
            keys = List.copyOf(other.keys);
            alpn = other.alpn;
            protocols = other.protocols;
            serverName = other.serverName;
        }

        /**
         * Takes keys and trust from a context of the JDK. What its trust managers accept is accepted; those that extend
         * {@link javax.net.ssl.X509ExtendedTrustManager} verify names themselves.
         *
         * @param of the context
         * @return this
         */
        public Builder context(SSLContext of) {
            context = of;
            return this;
        }

        /**
         * Sets who is trusted, instead of whom the JDK trusts.
         *
         * @param pem one or more blocks {@code CERTIFICATE}: of issuers, or of servers themselves
         * @return this
         * @throws IllegalArgumentException if there is none, or one cannot be read
         */
        public Builder trust(String pem) {
            trusted = Pem.certificates(pem);
            return this;
        }

        /**
         * Sets who is trusted, instead of whom the JDK trusts.
         *
         * @param certificates of issuers, or of servers themselves
         * @return this
         */
        public Builder trust(List<X509Certificate> certificates) {
            trusted = List.copyOf(certificates);
            return this;
        }

        /**
         * Adds what is shown to a server that asks for a certificate: the first whose issuer and kind of key it accepts.
         *
         * @param identity a certificate and its key
         * @return this
         */
        public Builder identity(TlsIdentity identity) {
            keys.add(new IdentityKeys.Entry(null, identity));
            return this;
        }

        /**
         * Sets which protocols of the application are offered (ALPN). None unless set.
         *
         * @param offered such as {@code h2} and {@code http/1.1}, the preferred ones first
         * @return this
         * @throws IllegalArgumentException if one has not 1 to 255 bytes
         */
        public Builder alpn(String... offered) {
            alpn = Settings.checkedAlpn(offered);
            return this;
        }

        /**
         * Sets which versions of TLS are offered. Both unless set.
         *
         * @param offered {@code TLSv1.3}, {@code TLSv1.2}
         * @return this
         * @throws IllegalArgumentException if there is none, or another
         */
        public Builder protocols(String... offered) {
            protocols = Settings.checkedProtocols(offered);
            return this;
        }

        /**
         * Sets the name that is sent (SNI) and for which the server's certificate must be, instead of the host's.
         *
         * @param name of the server
         * @return this
         */
        public Builder serverName(String name) {
            serverName = name;
            return this;
        }

        /**
         * {@return the client}
         *
         * @throws IllegalArgumentException if an identity or trust were set, and a context too; or if the context makes no
         *     engine, say since it was not initialised
         * @throws IllegalStateException if the JDK cannot use what was set
         */
        public TlsClient build() {
            if (context != null && (trusted != null || !keys.isEmpty())) {
                Settings.refuseBoth("trust and identity");
            }
            Builder settings = new Builder(this);
            if (context != null) {
                Settings.check(context, Settings.parameters(protocols, alpn));
            }
            try {
                return new TlsClient(settings, trusted == null ? context : settings.newContext());
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("the JDK cannot use what was set: " + e.getMessage(), e);
            }
        }

        private SSLContext newContext() throws GeneralSecurityException {
            return trusted == null && keys.isEmpty() ? SSLContext.getDefault() : Settings.context(keys, trusted);
        }
    }
}
