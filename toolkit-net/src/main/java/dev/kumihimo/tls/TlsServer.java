package dev.kumihimo.tls;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.StreamListener;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * Makes the server's end of TLS connections.
 *
 * <pre>{@code
 * TlsServer server = TlsServer.builder().identity(TlsIdentity.ofPem(chain, key)).alpn("h2", "http/1.1").build();
 * try (TlsListener listener = server.listen(TcpListener.bind("0.0.0.0", 443))) {
 *     while (true) {
 *         TlsStream session = listener.accept();
 *         Task.spawn(() -> {
 *             try (session) {
 *                 session.handshake(Duration.ofSeconds(10));
 *                 serve(session);
 *             }
 *         });
 *     }
 * }
 * }</pre>
 *
 * <p>Clients resume their sessions with the same server. Immutable; any thread may use it.
 *
 * @since 0.1
 */
public final class TlsServer {
    private final SSLContext context;
    private final List<String> alpn;
    private final List<String> protocols;
    private final ClientAuth clientAuth;

    private TlsServer(SSLContext context, Builder settings) {
        this.context = context;
        this.alpn = settings.alpn;
        this.protocols = settings.protocols;
        this.clientAuth = settings.clientAuth;
    }

    /** {@return what makes a server} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Makes the server's end over a stream on which a client begins. The handshake is done later: by
     * {@link TlsStream#handshake()}, or by what reads or writes first.
     *
     * @param transport from now on the result's
     * @return the stream
     */
    public TlsStream wrap(ByteStream transport) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters parameters = Settings.parameters(protocols, alpn);
        switch (clientAuth) {
            case NONE -> parameters.setNeedClientAuth(false);
            case WANTED -> parameters.setWantClientAuth(true);
            case REQUIRED -> parameters.setNeedClientAuth(true);
        }
        engine.setSSLParameters(parameters);
        return new TlsStream(transport, engine, null);
    }

    /**
     * {@return a listener that makes TLS of each connection of another}
     *
     * @param listener from now on the result's, which closes it
     */
    public TlsListener listen(StreamListener<? extends ByteStream> listener) {
        return new TlsListener(listener, this);
    }

    /**
     * Makes a {@link TlsServer}. Belongs to one thread at a time.
     *
     * <pre>{@code
     * TlsServer server = TlsServer.builder()
     *         .identity(identity)
     *         .identity("api.example.org", apiIdentity)
     *         .trust(clientsCa)
     *         .clientAuth(ClientAuth.REQUIRED)
     *         .build();
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Builder {
        private @Nullable SSLContext context;
        private @Nullable List<X509Certificate> trusted;
        private final List<IdentityKeys.Entry> keys = new ArrayList<>();
        private List<String> alpn = List.of();
        private List<String> protocols = Settings.PROTOCOLS;
        private ClientAuth clientAuth = ClientAuth.NONE;

        private Builder() {}

        /**
         * Takes keys and trust from a context of the JDK.
         *
         * @param of the context
         * @return this
         */
        public Builder context(SSLContext of) {
            context = of;
            return this;
        }

        /**
         * Adds what is shown to clients that ask for no name, or for one that is no other identity's. Of several the first is
         * taken whose kind of key the client accepts. A server without any refuses such clients.
         *
         * @param identity a certificate and its key
         * @return this
         */
        public Builder identity(TlsIdentity identity) {
            keys.add(new IdentityKeys.Entry(null, identity));
            return this;
        }

        /**
         * Adds what is shown to clients that ask for a name (SNI). Of several for one name the first is taken whose kind of key
         * the client accepts.
         *
         * @param serverName such as {@code api.example.org}, also in other scripts (IDN); or {@code *.example.org} for each name with one label in its
         *     place, that is no other identity's
         * @param identity a certificate and its key
         * @return this
         * @throws IllegalArgumentException if it is no name of a host, or has a {@code *} elsewhere
         */
        public Builder identity(String serverName, TlsIdentity identity) {
            keys.add(new IdentityKeys.Entry(Settings.checkedServerName(serverName), identity));
            return this;
        }

        /**
         * Sets whose client certificates are trusted.
         *
         * @param pem one or more blocks {@code CERTIFICATE}: of issuers, or of clients themselves
         * @return this
         * @throws IllegalArgumentException if there is none, or one cannot be read
         */
        public Builder trust(String pem) {
            trusted = Pem.certificates(pem);
            return this;
        }

        /**
         * Sets whose client certificates are trusted.
         *
         * @param certificates of issuers, or of clients themselves
         * @return this
         */
        public Builder trust(List<X509Certificate> certificates) {
            trusted = List.copyOf(certificates);
            return this;
        }

        /**
         * Sets whether clients are asked for certificates. {@link ClientAuth#NONE} unless set.
         *
         * @param whether they are
         * @return this
         */
        public Builder clientAuth(ClientAuth whether) {
            clientAuth = whether;
            return this;
        }

        /**
         * Sets which protocols of the application are spoken (ALPN). None unless set. A client that offers others only is
         * refused; one that offers none is not.
         *
         * @param spoken such as {@code h2} and {@code http/1.1}, the preferred ones first
         * @return this
         * @throws IllegalArgumentException if one has not 1 to 255 bytes
         */
        public Builder alpn(String... spoken) {
            alpn = Settings.checkedAlpn(spoken);
            return this;
        }

        /**
         * Sets which versions of TLS are spoken. Both unless set.
         *
         * @param spoken {@code TLSv1.3}, {@code TLSv1.2}
         * @return this
         * @throws IllegalArgumentException if there is none, or another
         */
        public Builder protocols(String... spoken) {
            protocols = Settings.checkedProtocols(spoken);
            return this;
        }

        /**
         * {@return the server}
         *
         * @throws IllegalArgumentException if there is neither a context nor an identity, or both; if clients are asked for
         *     certificates, and nothing says whose are trusted; or if the context makes no engine, say since it was not initialised
         * @throws IllegalStateException if the JDK cannot use what was set
         */
        public TlsServer build() {
            if (context != null) {
                if (trusted != null || !keys.isEmpty()) {
                    Settings.refuseBoth("trust and identity");
                }
                Settings.check(context, Settings.parameters(protocols, alpn));
                return new TlsServer(context, this);
            }
            if (keys.isEmpty()) {
                throw new IllegalArgumentException("identity must be set, at least one, or else a context");
            }
            if (clientAuth != ClientAuth.NONE && trusted == null) {
                throw new IllegalArgumentException("clientAuth=" + clientAuth + " needs trust to be set");
            }
            try {
                return new TlsServer(Settings.context(keys, trusted == null ? List.of() : trusted), this);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("the JDK cannot use what was set: " + e.getMessage(), e);
            }
        }
    }
}
