/**
 * Sockets for tasks: calls that block the task and never its carrier.
 *
 * <p>Entry types, in reading order: {@link dev.kumihimo.net.TcpListener}, {@link dev.kumihimo.net.TcpStream}; with options set
 * before they exist, {@link dev.kumihimo.net.TcpSocket}; addresses of names, {@link dev.kumihimo.net.NameLookup}; for processes
 * of the same machine, {@link dev.kumihimo.net.UnixListener} and {@link dev.kumihimo.net.UnixStream}; for datagrams,
 * {@link dev.kumihimo.net.UdpSocket}. What is no
 * socket but speaks bytes belongs to {@code dev.kumihimo.io}, what gives bytes a meaning to codecs. This package alone
 * registers channels with a runtime's driver.
 *
 * <p>A socket belongs to the runtime of the thread that made it, and outside of any to the global one: its events come from
 * there, and end with it. Any thread of any runtime, and platform threads, may use it. All operations throw
 * {@link java.io.IOException} only: {@link java.io.InterruptedIOException}, with the interrupt flag set, where a channel or
 * a lock would throw {@link java.lang.InterruptedException}, and {@link java.net.SocketTimeoutException}, which leaves the
 * flag alone, where these would throw {@link java.util.concurrent.TimeoutException}.
 */
@NullMarked
package dev.kumihimo.net;

import org.jspecify.annotations.NullMarked;
