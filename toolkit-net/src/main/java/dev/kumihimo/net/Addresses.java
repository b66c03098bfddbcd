package dev.kumihimo.net;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Socket addresses: from names, and into messages. */
final class Addresses {
    private Addresses() {}

    /** An attempt at one address. */
    interface Attempt<T> {
        T with(InetSocketAddress address) throws IOException;
    }

    /** Looks a name up and makes the attempt with each address in turn; throws what the last one threw. */
    static <T> T first(String host, int port, long deadline, Attempt<T> attempt) throws IOException {
        IOException last = null;
        for (InetSocketAddress address : resolve(host, port, deadline)) {
            try {
                return attempt.with(address);
            } catch (InterruptedIOException e) {
                throw e; // a deadline that has passed leaves no time for the next one either
            } catch (IOException e) {
                if (last != null) {
                    e.addSuppressed(last);
                }
                last = e;
            }
        }
        throw last == null ? new UnknownHostException(host) : last;
    }

    /** {@return the address as one of the Internet} */
    static InetSocketAddress internet(SocketAddress address) {
        if (address instanceof InetSocketAddress internet) {
            return internet;
        }
        throw new IllegalArgumentException("address=" + address + " must be an InetSocketAddress");
    }

    /** {@return an address for messages: numbers, or the name if it was never looked up} */
    static String text(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress internet)) {
            return String.valueOf(address);
        }
        InetAddress ip = internet.getAddress();
        String host = ip == null ? internet.getHostString() : ip.getHostAddress();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + internet.getPort();
    }

    /** Literal addresses are taken as they are; a name is looked up on the blocking pool. */
    private static List<InetSocketAddress> resolve(String host, int port, long deadline) throws IOException {
        InetAddress[] found = isLiteral(host) ? InetAddress.getAllByName(host) : lookUp(host, deadline);
        List<InetSocketAddress> addresses = new ArrayList<>(found.length);
        for (InetAddress address : found) {
            addresses.add(new InetSocketAddress(address, port));
        }
        return addresses;
    }

    private static InetAddress[] lookUp(String host, long deadline) throws IOException {
        JoinHandle<Object> lookup;
        try {
            lookup = Task.spawnBlocking(() -> {
                try {
                    return InetAddress.getAllByName(host);
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

    /** {@return the same failure, told with the addresses it concerns} */
    static IOException at(String where, IOException e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        IOException told;
        if (e instanceof BindException) {
            told = new BindException(where + ": " + message);
        } else if (e instanceof ConnectException) {
            told = new ConnectException(where + ": " + message);
        } else {
            told = new SocketException(where + ": " + message);
        }
        told.initCause(e);
        return told;
    }
}
