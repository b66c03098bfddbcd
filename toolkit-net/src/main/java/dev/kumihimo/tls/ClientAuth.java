package dev.kumihimo.tls;

/**
 * Whether a server asks its clients for certificates.
 *
 * <pre>{@code
 * TlsServer.builder().identity(identity).trust(clientsCa).clientAuth(ClientAuth.REQUIRED).build();
 * }</pre>
 *
 * @since 0.1
 */
public enum ClientAuth {
    /** It does not ask. */
    NONE,

    /** It asks; a client may have none, but one that it has must be trusted. */
    WANTED,

    /** It asks, and refuses a client that has none that is trusted. */
    REQUIRED
}
