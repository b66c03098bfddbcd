/**
 * TLS over any {@link dev.kumihimo.io.ByteStream}, by the JDK's own implementation.
 *
 * <p>Entry types, in reading order: {@link dev.kumihimo.tls.TlsStream}, {@link dev.kumihimo.tls.TlsClient},
 * {@link dev.kumihimo.tls.TlsServer}, {@link dev.kumihimo.tls.TlsListener}, {@link dev.kumihimo.tls.TlsIdentity}. TLS 1.3 and
 * 1.2 unless told otherwise; certificates and host names are verified, and nothing here can switch that off: whoever wants to
 * passes an {@link javax.net.ssl.SSLContext} of his own.
 *
 * <p>Nothing here makes sockets or knows of drivers: what TLS runs over is asked for bytes, and waited for, as any task would.
 */
@NullMarked
package dev.kumihimo.tls;

import org.jspecify.annotations.NullMarked;
