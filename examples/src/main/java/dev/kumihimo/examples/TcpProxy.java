package dev.kumihimo.examples;

import dev.kumihimo.io.ByteStreams;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.signal.Service;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Joins each TCP connection that it is given to one of its own to a target, and copies in both directions.
 *
 * <p>The end of one side's output is passed on as that and no more, so the other may still answer; a side that fails is a reset
 * for the other. SIGINT and SIGTERM take no more connections, and give those that there are five seconds; a second one does not.
 */
public final class TcpProxy {
    private static final String USAGE = """
            usage: TcpProxy LISTEN TARGET
            joins each connection that comes to LISTEN to one to TARGET, and copies in both directions
              LISTEN   [HOST:]PORT, by default on 127.0.0.1; port 0 is any free one, which is printed
              TARGET   HOST:PORT, looked up and connected to anew for each connection
            SIGINT and SIGTERM wait up to 5 s for connections to end
            exit code: 0 ended in order; 1 cannot listen, or connections were cut off at the end; 2 a wrong
            argument; 130 or 143 after a second signal
            example: TcpProxy 8080 example.org:80""";

    private static final Duration DRAIN = Duration.ofSeconds(5);
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);
    private static final int BUFFER_SIZE = 64 * 1024;

    private final InetSocketAddress address;
    private final InetSocketAddress target;
    private volatile boolean cannotListen;

    private TcpProxy(InetSocketAddress address, InetSocketAddress target) {
        this.address = address;
        this.target = target;
    }

    /** Serves until the process is told to end. */
    public static void main(String[] arguments) throws InterruptedException {
        TcpProxy proxy = parse(arguments);
        int status = Service.run(DRAIN, proxy::run);
        System.exit(proxy.cannotListen ? 1 : status);
    }

    private void run(Service service) throws InterruptedException {
        TcpListener listener;
        try {
            listener = TcpListener.bind(address);
        } catch (IOException e) {
            System.err.println("TcpProxy: " + e.getMessage() + ".");
            cannotListen = true;
            return;
        }
        System.out.println("TcpProxy is listening on " + text(listener.localAddress()) + " for " + text(target));
        TcpServer.of(listener)
                .in(service)
                .onError((client, e) ->
                        System.err.println("TcpProxy: " + text(client.peerAddress()) + " failed: " + e.getMessage()))
                .serve(this::relay);
    }

    private void relay(TcpStream client) throws IOException {
        try (TcpStream server = TcpStream.connect(target, CONNECT_LIMIT)) {
            client.noDelay(true);
            server.noDelay(true);
            try {
                var copied = ByteStreams.copyBidirectional(client, server, BUFFER_SIZE);
                System.out.println(text(client.peerAddress()) + " sent " + copied.toSecond() + " bytes and received "
                        + copied.toFirst());
            } catch (IOException e) {
                server.closeWithReset();
                throw e;
            }
        } catch (IOException e) {
            client.closeWithReset(); // a mere end would look as if all had been said
            throw e;
        }
    }

    /* ---------------- Addresses -------------- */

    private static TcpProxy parse(String[] arguments) {
        if (arguments.length == 1 && arguments[0].matches("--help|-h")) {
            System.out.println(USAGE);
            System.exit(0);
        }
        try {
            if (arguments.length != 2) {
                throw new IllegalArgumentException("LISTEN and TARGET have to be given, and no more");
            }
            return new TcpProxy(
                    address("LISTEN", arguments[0], "127.0.0.1", 0), address("TARGET", arguments[1], null, 1));
        } catch (IllegalArgumentException e) {
            System.err.println("TcpProxy: " + e.getMessage() + ". See TcpProxy --help.");
            System.exit(2);
            throw e;
        }
    }

    private static InetSocketAddress address(String what, String text, @Nullable String defaultHost, int leastPort) {
        Matcher parts =
                Pattern.compile("(?:(\\[[^\\]]+]|[^:\\[\\]]+):)?([0-9]{1,5})").matcher(text);
        String host = !parts.matches() ? null : parts.group(1) == null ? defaultHost : parts.group(1);
        if (host == null) {
            throw new IllegalArgumentException(
                    what + " is " + (defaultHost == null ? "HOST:PORT" : "[HOST:]PORT") + ", not \"" + text + "\"");
        }
        int port = Integer.parseInt(parts.group(2));
        if (port < leastPort || port > 65535) {
            throw new IllegalArgumentException(
                    "the port of " + what + " \"" + text + "\" is not a number from " + leastPort + " to 65535");
        }
        return InetSocketAddress.createUnresolved(host, port);
    }

    private static String text(InetSocketAddress address) {
        String host = address.isUnresolved()
                ? address.getHostString()
                : address.getAddress().getHostAddress();
        return (host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host) + ":" + address.getPort();
    }
}
