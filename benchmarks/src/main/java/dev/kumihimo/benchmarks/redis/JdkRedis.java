package dev.kumihimo.benchmarks.redis;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * GET, SET, PING and CONFIG of the example {@code MiniRedis} on blocking channels of the JDK, a virtual thread on its default
 * scheduler for each connection.
 *
 * <p>It does what the example does for such a request: copies the words, looks the command up by its name, keeps values under
 * keys in a concurrent map, has the first lines of short answers ready, and writes the answers to all that came with one read at
 * once. It has no limits and no times to live, and expects whole numbers and small requests.
 */
public final class JdkRedis {
    private static final int BUFFER_SIZE = 8 * 1024;
    private static final byte[] CRLF = {'\r', '\n'};
    private static final byte[] OK = bytes("+OK\r\n");
    private static final byte[] NIL = bytes("$-1\r\n");

    /** The first lines of short values. */
    private static final byte[][] HEADERS = new byte[1024][];

    static {
        Arrays.setAll(HEADERS, JdkRedis::header);
    }

    private static final ConcurrentHashMap<Key, byte[]> VALUES = new ConcurrentHashMap<>();

    private JdkRedis() {}

    private record Key(byte[] bytes, int hash) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && hash == key.hash && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    /** Serves at a port for ever. */
    public static void main(String[] arguments) throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 4096);
            System.out.println("JdkRedis is listening on port " + arguments[0]);
            while (true) {
                SocketChannel channel = listener.accept();
                Thread.startVirtualThread(() -> serve(channel));
            }
        }
    }

    private static void serve(SocketChannel channel) {
        try (channel) {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            ByteBuffer input = ByteBuffer.allocate(BUFFER_SIZE);
            ByteBuffer output = ByteBuffer.allocate(BUFFER_SIZE);
            while (channel.read(input) >= 0) {
                input.flip();
                for (byte @Nullable [][] request; (request = request(input)) != null; ) {
                    if (output.position() >= BUFFER_SIZE / 2) {
                        write(channel, output);
                    }
                    answer(request, output);
                }
                input.compact();
                write(channel, output);
            }
        } catch (IOException e) {
            // the client has gone
        }
    }

    private static void write(SocketChannel channel, ByteBuffer output) throws IOException {
        output.flip();
        while (output.hasRemaining()) {
            channel.write(output);
        }
        output.clear();
    }

    private static byte @Nullable [][] request(ByteBuffer input) {
        int start = input.position();
        int count = number(input);
        if (count < 0) {
            return null;
        }
        byte[][] words = new byte[count][];
        for (int i = 0; i < count; i++) {
            int length = number(input);
            if (length < 0 || input.remaining() < length + CRLF.length) {
                input.position(start);
                return null;
            }
            words[i] = new byte[length];
            input.get(words[i]).position(input.position() + CRLF.length);
        }
        return words;
    }

    /** Takes a line that is a number after its first character; -1 if it has not come. */
    private static int number(ByteBuffer input) {
        int number = 0;
        for (int at = input.position() + 1; at + 1 < input.limit(); at++) {
            byte digit = input.get(at);
            if (digit == '\r') {
                input.position(at + CRLF.length);
                return number;
            }
            number = 10 * number + digit - '0';
        }
        return -1;
    }

    private static void answer(byte[][] request, ByteBuffer output) {
        switch (new String(request[0], StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT)) {
            case "GET" -> {
                byte[] value = VALUES.get(key(request));
                if (value == null) {
                    output.put(NIL);
                } else {
                    output.put(value.length < HEADERS.length ? HEADERS[value.length] : header(value.length));
                    output.put(value).put(CRLF);
                }
            }
            case "SET" -> {
                VALUES.put(key(request), request[2]);
                output.put(OK);
            }
            case "PING" -> output.put(bytes("+PONG\r\n"));
            case "CONFIG" -> output.put(bytes("*0\r\n"));
            default -> output.put(bytes("-ERR unknown command\r\n"));
        }
    }

    private static Key key(byte[][] request) {
        return new Key(request[1], Arrays.hashCode(request[1]));
    }

    private static byte[] header(int length) {
        return bytes("$" + length + "\r\n");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
