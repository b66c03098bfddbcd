/**
 * Streams of bytes as codecs, TLS and copying see them, whatever they run over: a socket, a pipe, another stream.
 *
 * <p>Entry types: {@link dev.kumihimo.io.ByteStream}; {@link dev.kumihimo.io.ByteReader} and {@link dev.kumihimo.io.ByteWriter}
 * with a buffer; {@link dev.kumihimo.io.ByteStreams} for copying, streams in memory, and sources made of others. Sockets themselves are in {@code dev.kumihimo.net}; nothing here knows
 * of addresses, drivers or channels.
 */
@NullMarked
package dev.kumihimo.io;

import org.jspecify.annotations.NullMarked;
