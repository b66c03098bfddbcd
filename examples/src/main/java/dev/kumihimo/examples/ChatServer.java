package dev.kumihimo.examples;

import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.LaggedException;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A TCP line chat on 127.0.0.1: each line goes to all others, and a client that reads too slowly is told how many it missed.
 *
 * <p>Port 9091, or the one given, of which 0 is any free one; Ctrl-C ends it. Each session is one task, which waits for its socket
 * and for the others at once. While it waits for a slow client to take what it writes it falls behind, and nobody else does.
 */
public final class ChatServer {
    /** How far a session may fall behind. */
    private static final int CAPACITY = 128;

    private static final int MAX_LINE = 4096;

    private final Broadcast<Message> room = Broadcast.create(CAPACITY);

    private record Message(int from, String text) {}

    private ChatServer() {}

    /** Serves until the process is told to end. */
    public static void main(String[] arguments) throws Exception {
        String argument = arguments.length == 0 ? "9091" : arguments[0];
        if (argument.equals("--help") || argument.equals("-h")) {
            System.out.println("usage: ChatServer [port]    a line chat on 127.0.0.1, port 9091 by default, 0 for any");
            return;
        }
        if (!argument.matches("[0-9]{1,5}") || Integer.parseInt(argument) > 65535) {
            System.err.println("ChatServer: the port \"" + argument + "\" is not a number from 0 to 65535.");
            System.exit(2);
        }
        TaskRuntime runtime = TaskRuntime.builder().build();
        // SIGINT and SIGTERM abort all tasks; each closes its socket on the way out.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> runtime.shutdown(Duration.ofMillis(900))));
        try {
            runtime.blockOn(() -> new ChatServer().listen(Integer.parseInt(argument)));
        } catch (TaskCancelledException e) {
            // the shutdown hook is at work, and the process ends with it
        } catch (IOException e) {
            System.err.println("ChatServer: " + e.getMessage() + ".");
            System.exit(1);
        }
    }

    private void listen(int port) throws IOException, InterruptedException {
        try (TcpListener listener = TcpListener.bind("127.0.0.1", port)) {
            InetSocketAddress address = listener.localAddress();
            System.out.println("ChatServer is listening on " + address.getHostString() + ":" + address.getPort());
            for (int next = 1; ; next++) {
                try {
                    int client = next;
                    TcpStream socket = listener.accept();
                    Task.spawn(() -> serve(client, socket));
                } catch (InterruptedIOException e) {
                    throw e;
                } catch (IOException e) { // too many open files, say: sessions go on, and will end
                    System.err.println("Cannot accept: " + e.getMessage());
                    Task.sleep(Duration.ofMillis(100));
                }
            }
        }
    }

    private void serve(int client, TcpStream socket) throws InterruptedException, InterruptedIOException {
        try (socket;
                Broadcast.Receiver<Message> others = room.subscribe()) {
            System.out.println("client " + client + " came from port "
                    + socket.peerAddress().getPort());
            chat(client, socket, others);
            System.out.println("client " + client + " left");
        } catch (InterruptedIOException e) {
            throw e; // the server ends, and nothing is wrong with the session
        } catch (IOException e) {
            System.out.println("client " + client + " was lost: " + e.getMessage());
        }
    }

    private void chat(int client, TcpStream socket, Broadcast.Receiver<Message> others)
            throws IOException, InterruptedException {
        socket.noDelay(true); // a line is not held back until the one before has been acknowledged
        tell(socket, "you are client " + client);
        ByteBuffer input = ByteBuffer.allocate(MAX_LINE);
        Select<@Nullable Message> next = Select.<@Nullable Message>of()
                .onReceive(others, message -> message)
                .onReadable(socket, () -> null);
        while (true) {
            try {
                Message message = next.await();
                if (message == null) {
                    if (socket.tryRead(input) < 0) {
                        return;
                    }
                    sendLines(client, input);
                } else if (message.from != client) {
                    tell(socket, message.text);
                }
            } catch (LaggedException e) {
                tell(socket, "you missed " + e.missed() + " messages");
            }
        }
    }

    /** Takes the complete lines out of a buffer, and sends each to everybody. A line that fills the buffer is cut. */
    private void sendLines(int client, ByteBuffer input) {
        input.flip();
        int start = 0;
        for (int at = 0; at < input.limit(); at++) {
            if (input.get(at) == '\n') {
                send(client, input, start, at);
                start = at + 1;
            }
        }
        if (start == 0 && input.limit() == input.capacity()) {
            send(client, input, 0, input.limit());
            start = input.limit();
        }
        input.position(start).compact();
    }

    private void send(int client, ByteBuffer input, int start, int end) {
        String line = new String(input.array(), start, end - start, StandardCharsets.UTF_8);
        room.send(new Message(client, client + ": " + line.stripTrailing()));
    }

    private static void tell(TcpStream socket, String line) throws IOException {
        socket.writeAll(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
    }
}
