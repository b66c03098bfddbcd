package dev.kumihimo.examples;

import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A TCP echo server on 127.0.0.1: one task for each session. Port 9090, or the one given, of which 0 is any free one; Ctrl-C ends
 * it.
 */
public final class EchoServer {
    private EchoServer() {}

    /** Serves until the process is told to end. */
    public static void main(String[] arguments) throws Exception {
        String argument = arguments.length == 0 ? "9090" : arguments[0];
        if (argument.equals("--help") || argument.equals("-h")) {
            System.out.println(
                    "usage: EchoServer [port]    echoes what it is sent on 127.0.0.1, port 9090 by default, 0 for any");
            return;
        }
        if (!argument.matches("[0-9]{1,5}") || Integer.parseInt(argument) > 65535) {
            System.err.println("EchoServer: the port \"" + argument + "\" is not a number from 0 to 65535.");
            System.exit(2);
        }
        TaskRuntime runtime = TaskRuntime.builder().build();
        // SIGINT and SIGTERM abort all tasks; each closes its socket on the way out.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> runtime.shutdown(Duration.ofMillis(900))));
        try {
            runtime.blockOn(() -> listen(Integer.parseInt(argument)));
        } catch (TaskCancelledException e) {
            // the shutdown hook is at work, and the process ends with it
        } catch (IOException e) {
            System.err.println("EchoServer: " + e.getMessage() + ".");
            System.exit(1);
        }
    }

    private static void listen(int port) throws IOException, InterruptedException {
        try (TcpListener listener = TcpListener.bind("127.0.0.1", port)) {
            System.out.println("EchoServer is listening on " + text(listener.localAddress()));
            while (true) {
                try {
                    TcpStream session = listener.accept();
                    Task.spawn(() -> serve(session));
                } catch (InterruptedIOException e) {
                    throw e;
                } catch (IOException e) { // too many open files, say: sessions go on, and will end
                    System.err.println("Cannot accept: " + e.getMessage());
                    Task.sleep(Duration.ofMillis(100));
                }
            }
        }
    }

    private static void serve(TcpStream session) throws InterruptedIOException {
        try (session) {
            System.out.println("Handling new session from " + text(session.peerAddress()));
            ByteBuffer buffer = ByteBuffer.allocate(2048);
            while (session.read(buffer) >= 0) {
                session.writeAll(buffer.flip());
                buffer.clear();
            }
        } catch (InterruptedIOException e) {
            throw e; // the server ends, and nothing is wrong with the session
        } catch (IOException e) {
            System.err.println("Stream disrupted: " + e.getMessage());
        }
    }

    private static String text(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }
}
