package dev.kumihimo.benchmarks.workload;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Opens many connections, in a process of its own so that neither end runs out of file descriptors: sends one byte on each
 * and prints {@code connected}; for each line of input sends 64 more on each and prints {@code sent}; ends with the input.
 */
final class Clients {
    private Clients() {}

    public static void main(String[] arguments) throws IOException {
        var server = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0]));
        var connections = new ArrayList<SocketChannel>();
        for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
            var connection = SocketChannel.open(server);
            connection.setOption(StandardSocketOptions.SO_LINGER, 0); // leaves no port in TIME_WAIT for the next round
            connections.add(connection);
        }
        send(connections, 1);
        System.out.println("connected");
        for (int next; (next = System.in.read()) >= 0; ) {
            if (next == '\n') {
                send(connections, 64);
                System.out.println("sent");
            }
        }
    }

    private static void send(List<SocketChannel> connections, int bytes) throws IOException {
        for (var connection : connections) {
            connection.write(ByteBuffer.allocate(bytes));
        }
    }
}
