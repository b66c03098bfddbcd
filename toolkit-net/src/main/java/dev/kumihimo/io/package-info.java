/**
 * Streams of bytes as codecs, TLS and copying see them, whatever they run over: a socket, a pipe, another stream.
 *
 * <p>Entry type: {@link dev.kumihimo.io.ByteStream}. Sockets themselves are in {@code dev.kumihimo.net}; nothing here knows
 * of addresses, drivers or channels.
 */
@NullMarked
package dev.kumihimo.io;

import org.jspecify.annotations.NullMarked;
