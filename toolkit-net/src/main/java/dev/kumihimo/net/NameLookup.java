package dev.kumihimo.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;

/**
 * Socket addresses of hosts: looked up by the system's resolver on the blocking pool, so that no carrier waits for it.
 *
 * <pre>{@code
 * for (InetSocketAddress address : NameLookup.resolve("example.com", 443)) {
 *     log.info("{}", address);
 * }
 * }</pre>
 *
 * <p>Literal addresses, as {@code 192.0.2.1} and {@code 2001:db8::1}, are taken as they are, at once and by the caller; the empty
 * host is the loopback address. Names are remembered for as long as the JDK does ({@code networkaddress.cache.ttl}). The
 * order is the resolver's, for which see {@code java.net.preferIPv6Addresses}.
 *
 * <p><b>Waiting.</b> A lookup waits for a thread of the blocking pool, and for the resolver on it. That heeds no interrupt: a
 * caller that is interrupted, cancelled or out of time goes on at once, and the answer is dropped when it comes; until then
 * the thread is taken. As with sockets, an interrupt is an {@link java.io.InterruptedIOException}, with the flag set.
 *
 * @since 0.1
 */
public final class NameLookup {
    /** The resolver of the system, as the JDK asks it. */
    static final NameLookup SYSTEM = new NameLookup(InetAddress::getAllByName);

    private final Resolver resolver;

    /** What knows the addresses of names. May block. */
    interface Resolver {
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    /** For tests: another resolver. */
    NameLookup(Resolver resolver) {
        this.resolver = resolver;
    }

    /**
     * Looks a host up, waiting for as long as the resolver takes.
     *
     * @param host a name or a literal address
     * @param port the port of each address returned, 0 to 65535
     * @return its addresses, at least one
     * @throws UnknownHostException if it has none, or the resolver cannot be reached
     * @throws java.io.InterruptedIOException if interrupted or cancelled
     * @throws IOException if the blocking pool has no room
     * @throws IllegalArgumentException if the port is out of range
     */
    public static List<InetSocketAddress> resolve(String host, int port) throws IOException {
        return SYSTEM.resolveBefore(host, port, Deadlines.NEVER);
    }

    /**
     * Looks a host up, waiting at most a given time.
     *
     * @param host a name or a literal address
     * @param port the port of each address returned, 0 to 65535
     * @param timeout the longest wait; with zero or less only literal addresses are had
     * @return its addresses, at least one
     * @throws java.net.SocketTimeoutException if the resolver took longer; the interrupt flag is left alone
     * @throws UnknownHostException if it has none, or the resolver cannot be reached
     * @throws java.io.InterruptedIOException if interrupted or cancelled
     * @throws IOException if the blocking pool has no room
     * @throws IllegalArgumentException if the port is out of range
     */
    public static List<InetSocketAddress> resolve(String host, int port, Duration timeout) throws IOException {
        return SYSTEM.resolveBefore(host, port, Deadlines.of(timeout));
    }

    /**
     * Looks up the host of a text such as {@code localhost:9090}, {@code 192.0.2.1:80} or {@code [2001:db8::1]:443}, see
     * {@link #resolve(String, int)}.
     *
     * @param hostAndPort both, with a colon between them; an address that has colons itself in brackets
     * @return its addresses, at least one
     * @throws UnknownHostException if it has none, or the resolver cannot be reached
     * @throws java.io.InterruptedIOException if interrupted or cancelled
     * @throws IOException if the blocking pool has no room
     * @throws IllegalArgumentException if the text has not that form, or the port is out of range
     */
    public static List<InetSocketAddress> resolve(String hostAndPort) throws IOException {
        InetSocketAddress parsed = parse(hostAndPort);
        return resolve(parsed.getHostString(), parsed.getPort());
    }

    /** {@return a text's host and port, not looked up} */
    static InetSocketAddress parse(String hostAndPort) {
        int colon = hostAndPort.lastIndexOf(':');
        String host = hostAndPort.substring(0, Math.max(colon, 0));
        String digits = hostAndPort.substring(colon + 1);
        boolean bracketed = host.length() > 2 && host.startsWith("[") && host.endsWith("]");
        boolean wellFormed = bracketed || (!host.isEmpty() && host.indexOf(':') < 0 && host.indexOf('[') < 0);
        boolean number =
                !digits.isEmpty() && digits.length() <= 5 && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!wellFormed || !number) {
            throw new IllegalArgumentException("hostAndPort=\"" + hostAndPort
                    + "\" must be host:port or [address]:port, with a port of 0 to 65535");
        }
        int port = Integer.parseInt(digits);
        checkPort(port, 0);
        return InetSocketAddress.createUnresolved(bracketed ? host.substring(1, host.length() - 1) : host, port);
    }

    static void checkPort(int port, int least) {
        if (port < least || port > 65535) {
            throw new IllegalArgumentException("port=" + port + " must be " + least + " to 65535");
        }
    }

    List<InetSocketAddress> resolveBefore(String host, int port, long deadline) throws IOException {
        Objects.requireNonNull(host, "host");
        checkPort(port, 0);
        InetAddress[] found = Addresses.isLiteral(host) ? InetAddress.getAllByName(host) : lookUp(host, deadline);
        if (found.length == 0) {
            throw new UnknownHostException(host);
        }
        List<InetSocketAddress> addresses = new ArrayList<>(found.length);
        for (InetAddress address : found) {
            addresses.add(new InetSocketAddress(address, port));
        }
        return addresses;
    }

    private InetAddress[] lookUp(String host, long deadline) throws IOException {
        if (deadline == Deadlines.NOW) {
            throw Deadlines.passed("the lookup of " + host); // its answer would come too late
        }
        JoinHandle<Object> lookup;
        try {
            lookup = Task.spawnBlocking(() -> {
                try {
                    return resolver.addresses(host);
                } catch (UnknownHostException e) {
                    return e; // not a failure of the job: nobody joins it if the caller has gone
                }
            });
        } catch (RejectedExecutionException e) {
            throw new IOException("there was no room for the lookup of " + host, e);
        }
        Object answer;
        try {
            answer = deadline == Deadlines.NEVER ? lookup.join() : lookup.join(Deadlines.remaining(deadline));
        } catch (TimeoutException e) {
            lookup.abort();
            throw Deadlines.passed("the lookup of " + host);
        } catch (InterruptedException e) {
            lookup.abort(); // not awaited: the system's resolver heeds no interrupt, and its answer hurts nobody
            if (e instanceof TaskCancelledException cancelled && !cancelled.isOwn()) {
                throw new IOException("the lookup of " + host + " was cancelled: " + cancelled.reason(), e);
            }
            throw TaskCancelledException.forIo(e);
        } catch (ExecutionException e) {
            throw new IOException("the lookup of " + host + " failed", e.getCause());
        }
        if (answer instanceof UnknownHostException unknown) {
            throw unknown;
        }
        return (InetAddress[]) answer;
    }
}
