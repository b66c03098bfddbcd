package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Socket addresses: what can be done with them, and how messages tell them. */
final class Addresses {
    private Addresses() {}

    /** An attempt at one address. */
    interface Attempt<T> {
        T with(InetSocketAddress address) throws IOException;
    }

    /** Makes the attempt with each address in turn; throws what the last one threw, with the others suppressed. */
    static <T> T first(List<InetSocketAddress> addresses, Attempt<T> attempt) throws IOException {
        IOException last = null;
        for (InetSocketAddress address : addresses) {
            try {
                return attempt.with(address);
            } catch (IOException e) {
                if (last != null) {
                    e.addSuppressed(last);
                }
                last = e;
            }
        }
        throw last == null ? new UnknownHostException("no address") : last;
    }

    /** {@return the address as one of the Internet} */
    static InetSocketAddress internet(SocketAddress address) {
        if (address instanceof InetSocketAddress internet) {
            return internet;
        }
        throw new IllegalArgumentException("address=" + address + " must be an InetSocketAddress");
    }

    /** {@return a copy of a list that has addresses, which have been looked up} */
    static List<InetSocketAddress> resolved(List<InetSocketAddress> addresses) {
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("addresses=[] must be at least one");
        }
        addresses.forEach(Addresses::resolved);
        return List.copyOf(addresses);
    }

    /** {@return an address of the Internet that has been looked up} */
    static InetSocketAddress resolved(SocketAddress address) {
        InetSocketAddress internet = internet(address);
        if (internet.isUnresolved()) {
            throw new IllegalArgumentException("address=" + address + " must be looked up first, by NameLookup");
        }
        return internet;
    }

    /** {@return an address for messages: numbers, or the name if it was never looked up; or a path} */
    static String text(@Nullable SocketAddress address) {
        if (address instanceof UnixDomainSocketAddress local) {
            String path = local.getPath().toString();
            return path.isEmpty() ? "(unnamed)" : path;
        }
        if (!(address instanceof InetSocketAddress internet)) {
            return String.valueOf(address);
        }
        InetAddress ip = internet.getAddress();
        String host = ip == null ? internet.getHostString() : ip.getHostAddress();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + internet.getPort();
    }

    /** Whether the JDK turns a host into an address without asking anybody. Names have no colon. */
    static boolean isLiteral(String host) {
        if (host.isEmpty()) {
            return true; // the loopback address
        }
        if (host.indexOf(':') >= 0) {
            return true;
        }
        String[] parts = host.split("\\.", -1);
        if (parts.length != 4) {
            return false;
        }
        for (String part : parts) {
            if (part.isEmpty()
                    || part.length() > 3
                    || !part.chars().allMatch(c -> c >= '0' && c <= '9')
                    || Integer.parseInt(part) > 255) {
                return false;
            }
        }
        return true;
    }

    /** {@return what the system says of a socket, told with the text that names it; other exceptions as they are} */
    static IOException told(IOException e, Object socket, Readiness readiness) {
        return e instanceof ClosedChannelException || e instanceof InterruptedIOException || readiness.isShutDown()
                ? e
                : at(socket.toString(), e);
    }

    /** {@return the same failure, told with the addresses it concerns} */
    static SocketException at(String where, IOException e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        SocketException told;
        if (e instanceof BindException) {
            told = new BindException(where + ": " + message);
        } else if (e instanceof ConnectException) {
            told = new ConnectException(where + ": " + message);
        } else if (e instanceof NoRouteToHostException) {
            told = new NoRouteToHostException(where + ": " + message);
        } else if (e instanceof PortUnreachableException) {
            told = new PortUnreachableException(where + ": " + message);
        } else {
            told = new SocketException(where + ": " + message);
        }
        told.initCause(e);
        return told;
    }
}
