package dev.kumihimo.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MiniRedisTest {
    @TempDir
    private Path folder;

    private Program server;
    private int port;

    @BeforeEach
    void start() throws IOException {
        server = Program.start(folder, "MiniRedis", "0");
        server.awaitOut("MiniRedis is listening on 127.0.0.1:");
        port = Integer.parseInt(server.out().strip().replaceAll(".*:", ""));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** A connection. Replies are told as text: an array in brackets, and of a string its bytes alone. */
    private final class Client implements AutoCloseable {
        private final Socket socket = new Socket();
        private final InputStream input;

        Client() throws IOException {
            this(1 << 16);
        }

        Client(int receiveBuffer) throws IOException {
            socket.setReceiveBufferSize(receiveBuffer);
            socket.setSoTimeout(20_000);
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            input = new BufferedInputStream(socket.getInputStream());
        }

        Client write(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(ISO_8859_1));
            return this;
        }

        String ask(String... words) throws IOException {
            return write(request(words)).reply();
        }

        String reply() throws IOException {
            String line = line();
            switch (line.charAt(0)) {
                case '$' -> {
                    int length = Integer.parseInt(line.substring(1));
                    if (length < 0) {
                        return "nil";
                    }
                    byte[] bytes = input.readNBytes(length + 2);
                    assertThat(bytes).hasSize(length + 2);
                    return new String(bytes, 0, length, ISO_8859_1);
                }
                case '*' -> {
                    List<String> items = new ArrayList<>();
                    for (int i = Integer.parseInt(line.substring(1)); i > 0; i--) {
                        items.add(reply());
                    }
                    return items.toString();
                }
                default -> {
                    return line;
                }
            }
        }

        /** Waits until something has come. */
        void awaitInput() throws IOException {
            input.mark(1);
            assertThat(input.read()).isNotNegative();
            input.reset();
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int c; (c = input.read()) != '\n'; ) {
                if (c < 0) {
                    throw new EOFException("after \"" + line + "\"");
                }
                line.append((char) c);
            }
            assertThat(line).endsWith("\r");
            return line.substring(0, line.length() - 1);
        }

        /** Whether the server has ended the connection; what comes before is dropped. */
        boolean ended() throws IOException {
            try {
                input.skip(Long.MAX_VALUE);
                return input.read() < 0;
            } catch (SocketException e) {
                return true; // reset
            }
        }

        void endOutput() {
            try {
                socket.shutdownOutput();
            } catch (IOException e) {
                // the server has closed the connection already
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static String request(String... words) {
        StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        return text.toString();
    }

    /* ---------------- Commands -------------- */

    @Test
    void strings_areSetAndRead() throws IOException {
        try (Client client = new Client()) {
            assertThat(client.ask("PING")).isEqualTo("+PONG");
            assertThat(client.ask("ping", "a\0b")).isEqualTo("a\0b");
            assertThat(client.ask("ECHO", "\r\n\377")).isEqualTo("\r\n\377");
            assertThat(client.ask("GET", "k")).isEqualTo("nil");
            assertThat(client.ask("SET", "k", "\0\r\n$1\r\n\377")).isEqualTo("+OK");
            assertThat(client.ask("GET", "k")).isEqualTo("\0\r\n$1\r\n\377");
            assertThat(client.ask("SET", "k", "2", "NX")).isEqualTo("nil");
            assertThat(client.ask("SET", "n", "2", "XX")).isEqualTo("nil");
            assertThat(client.ask("SET", "n", "2", "nx")).isEqualTo("+OK");
            assertThat(client.ask("SET", "n", "3", "xx", "get")).isEqualTo("2");
            assertThat(client.ask("SET", "n", "4", "NX", "GET")).isEqualTo("3");
            assertThat(client.ask("MSET", "a", "1", "b", "2", "", "empty")).isEqualTo("+OK");
            assertThat(client.ask("MGET", "b", "none", "a", "")).isEqualTo("[2, nil, 1, empty]");
            assertThat(client.ask("EXISTS", "a", "a", "none")).isEqualTo(":2");
            assertThat(client.ask("DEL", "a", "a", "none", "b")).isEqualTo(":2");
            assertThat(client.ask("DBSIZE")).isEqualTo(":3");
            assertThat(client.ask("FLUSHALL")).isEqualTo("+OK");
            assertThat(client.ask("DBSIZE")).isEqualTo(":0");
            String large = "v".repeat(5_000_000);
            assertThat(client.ask("SET", "large", large)).isEqualTo("+OK");
            assertThat(client.ask("GET", "large")).isEqualTo(large);
        }
    }

    @Test
    void numbers_areCounted() throws IOException {
        try (Client client = new Client()) {
            assertThat(client.ask("INCR", "n")).isEqualTo(":1");
            assertThat(client.ask("INCRBY", "n", "41")).isEqualTo(":42");
            assertThat(client.ask("DECR", "n")).isEqualTo(":41");
            assertThat(client.ask("DECRBY", "n", "100")).isEqualTo(":-59");
            assertThat(client.ask("GET", "n")).isEqualTo("-59");
            assertThat(client.ask("SET", "n", "9223372036854775806")).isEqualTo("+OK");
            assertThat(client.ask("INCR", "n")).isEqualTo(":9223372036854775807");
            assertThat(client.ask("INCR", "n")).isEqualTo("-ERR increment or decrement would overflow");
            assertThat(client.ask("GET", "n")).isEqualTo("9223372036854775807");
            for (String none : new String[] {"x", "", "01", "+1", " 1", "1 ", "-0", "9223372036854775808"}) {
                client.ask("SET", "n", none);
                assertThat(client.ask("INCR", "n")).isEqualTo("-ERR value is not an integer or out of range");
                assertThat(client.ask("INCRBY", "m", none)).isEqualTo("-ERR value is not an integer or out of range");
            }
            assertThat(client.ask("DECRBY", "m", "-9223372036854775808")).isEqualTo("-ERR decrement would overflow");
        }
    }

    @Test
    void timesToLive_areKept_andEnd() throws IOException {
        try (Client client = new Client()) {
            assertThat(client.ask("TTL", "k")).isEqualTo(":-2");
            client.ask("SET", "k", "1");
            assertThat(client.ask("PTTL", "k")).isEqualTo(":-1");
            assertThat(client.ask("EXPIRE", "k", "1000")).isEqualTo(":1");
            assertThat(Integer.parseInt(client.ask("TTL", "k").substring(1))).isBetween(900, 1000);
            client.ask("SET", "k", "1", "KEEPTTL");
            client.ask("INCR", "k");
            assertThat(Integer.parseInt(client.ask("PTTL", "k").substring(1))).isBetween(900_000, 1_000_000);
            assertThat(client.ask("PERSIST", "k")).isEqualTo(":1");
            assertThat(client.ask("TTL", "k")).isEqualTo(":-1");
            assertThat(client.ask("EXPIRE", "none", "10")).isEqualTo(":0");
            assertThat(client.ask("EXPIRE", "k", "-1")).isEqualTo(":1");
            assertThat(client.ask("EXISTS", "k")).isEqualTo(":0");
            assertThat(client.ask("SET", "k", "1", "EX", "0")).isEqualTo("-ERR invalid expire time in 'set' command");
            assertThat(client.ask("SET", "k", "1", "EX", "10", "PX", "10")).isEqualTo("-ERR syntax error");

            assertThat(client.ask("SET", "read", "1", "PX", "30")).isEqualTo("+OK");
            await().until(() -> client.ask("GET", "read").equals("nil"));
            client.ask("SET", "unread", "1", "PX", "30");
            await().until(() -> client.ask("DBSIZE").equals(":0"));
        }
    }

    @Test
    void whatToolsAskFirst_isAnswered() throws IOException {
        try (Client client = new Client()) {
            assertThat(client.ask("CONFIG", "GET", "save")).isEqualTo("[save, ]");
            assertThat(client.ask("config", "get", "append*", "s?ve")).isEqualTo("[appendonly, no, save, ]");
            assertThat(client.ask("CONFIG", "GET", "none")).isEqualTo("[]");
            assertThat(client.ask("COMMAND", "DOCS")).isEqualTo("[]");
            assertThat(client.ask("COMMAND", "COUNT")).isEqualTo(":27");
            assertThat(client.ask("COMMAND", "INFO", "get", "nope"))
                    .isEqualTo("[[get, :2, [+readonly], :1, :1, :1], []]");
            assertThat(client.ask("COMMAND")).contains("[mset, :-3, [+write], :1, :-1, :2]");
            assertThat(client.ask("HELLO", "3")).isEqualTo("-NOPROTO unsupported protocol version");
            assertThat(client.ask("HELLO", "2")).contains("proto, :2");
            assertThat(client.ask("SELECT", "0")).isEqualTo("+OK");
            assertThat(client.ask("SELECT", "1")).isEqualTo("-ERR DB index is out of range");
            assertThat(client.ask("GET")).isEqualTo("-ERR wrong number of arguments for 'get' command");
            assertThat(client.ask("MSET", "a", "1", "b"))
                    .isEqualTo("-ERR wrong number of arguments for 'mset' command");
            assertThat(client.ask("NONE", "a\r\n", "b"))
                    .isEqualTo("-ERR unknown command 'NONE', with args beginning with: 'a  ' 'b' ");
            assertThat(client.write("set k \"a b\"\r\n").reply()).isEqualTo("+OK");
            assertThat(client.write("\r\nGET k\n").reply()).isEqualTo("a b");
            assertThat(client.ask("QUIT")).isEqualTo("+OK");
            assertThat(client.ended()).isTrue();
        }
    }

    /* ---------------- Pipelines -------------- */

    @Test
    void pipeline_isAnsweredInOrder_alsoWhenTheClientEndsItsOutput() throws Exception {
        int count = 20_000;
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < count; i++) {
            requests.append(request("INCR", "n")).append(request("ECHO", "e" + i));
        }
        try (Client client = new Client()) {
            Thread writer = new Thread(() -> {
                try {
                    client.write(requests + "*2\r\n$3\r\nGET\r\n"); // the last is never complete
                    client.socket.shutdownOutput();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            writer.start();
            for (int i = 0; i < count; i++) {
                assertThat(client.reply()).isEqualTo(":" + (i + 1));
                assertThat(client.reply()).isEqualTo("e" + i);
            }
            assertThat(client.ended()).isTrue();
            writer.join();
        }
    }

    /** Who sends and does not read is held back, and the server's memory stays what it is. */
    @Test
    void clientThatDoesNotRead_isHeldBack_andHindersNobody() throws Exception {
        try (Client client = new Client(4096);
                Client other = new Client()) {
            client.ask("SET", "k", "v".repeat(100_000));
            Thread writer = new Thread(() -> {
                try {
                    while (true) {
                        client.write(request("GET", "k").repeat(1000));
                    }
                } catch (IOException e) {
                    // closed by the test
                }
            });
            writer.start();
            await().until(() -> isStuck(writer));
            assertThat(other.ask("PING")).isEqualTo("+PONG");
            client.close();
            writer.join();
            assertThat(other.ask("EXISTS", "k")).isEqualTo(":1");
        }
    }

    /** Whether a thread has been in the same system call for a while: it shows no other state there. */
    private static boolean isStuck(Thread writer) throws InterruptedException {
        for (int i = 0; i < 20; i++) {
            StackTraceElement[] stack = writer.getStackTrace();
            if (stack.length == 0 || !Arrays.toString(stack).contains("write")) {
                return false;
            }
            writer.join(10);
        }
        return true;
    }

    /* ---------------- Topics -------------- */

    @Test
    void messages_reachAllWhoSubscribed_whileTheyGoOnAsking() throws IOException {
        try (Client a = new Client();
                Client b = new Client();
                Client publisher = new Client()) {
            assertThat(publisher.ask("PUBLISH", "news", "nobody")).isEqualTo(":0");
            assertThat(a.ask("SUBSCRIBE", "news", "\0\r\n")).isEqualTo("[subscribe, news, :1]");
            assertThat(a.reply()).isEqualTo("[subscribe, \0\r\n, :2]");
            assertThat(b.ask("SUBSCRIBE", "news")).isEqualTo("[subscribe, news, :1]");
            assertThat(b.ask("SUBSCRIBE", "news")).isEqualTo("[subscribe, news, :1]");
            assertThat(publisher.ask("PUBLISH", "news", "one\0")).isEqualTo(":2");
            assertThat(publisher.ask("PUBLISH", "\0\r\n", "\r\n")).isEqualTo(":1");
            assertThat(a.reply()).isEqualTo("[message, news, one\0]");
            assertThat(b.reply()).isEqualTo("[message, news, one\0]");
            assertThat(a.reply()).isEqualTo("[message, \0\r\n, \r\n]");

            assertThat(a.ask("PING")).isEqualTo("[pong, ]");
            assertThat(a.ask("PING", "x")).isEqualTo("[pong, x]");
            assertThat(a.ask("GET", "k")).startsWith("-ERR Can't execute 'get'");
            assertThat(a.ask("PUBLISH", "news", "x")).startsWith("-ERR Can't execute 'publish'");
            assertThat(a.ask("UNSUBSCRIBE", "none")).isEqualTo("[unsubscribe, none, :2]");
            assertThat(a.ask("UNSUBSCRIBE", "news")).isEqualTo("[unsubscribe, news, :1]");
            assertThat(publisher.ask("PUBLISH", "news", "two")).isEqualTo(":1");
            assertThat(b.reply()).isEqualTo("[message, news, two]");
            assertThat(a.ask("UNSUBSCRIBE")).isEqualTo("[unsubscribe, \0\r\n, :0]");
            assertThat(a.ask("UNSUBSCRIBE")).isEqualTo("[unsubscribe, nil, :0]");
            assertThat(a.ask("GET", "k")).isEqualTo("nil");
            assertThat(a.ask("PUBLISH", "news", "three")).isEqualTo(":1");
            assertThat(b.reply()).isEqualTo("[message, news, three]");
            b.close();
            await().until(() -> publisher.ask("PUBLISH", "news", "four").equals(":0"));
        }
    }

    @Test
    void messages_comeInOrder_andBeforeTheEndOfTheSubscription() throws IOException {
        try (Client subscriber = new Client();
                Client publisher = new Client()) {
            subscriber.ask("SUBSCRIBE", "t");
            int count = 2000; // fewer than the server keeps
            StringBuilder requests = new StringBuilder();
            for (int i = 0; i < count; i++) {
                requests.append(request("PUBLISH", "t", "m" + i));
            }
            publisher.write(requests.toString());
            for (int i = 0; i < count; i++) {
                assertThat(publisher.reply()).isEqualTo(":1");
            }
            subscriber.write(request("UNSUBSCRIBE"));
            for (int i = 0; i < count; i++) {
                assertThat(subscriber.reply()).isEqualTo("[message, t, m" + i + "]");
            }
            assertThat(subscriber.reply()).isEqualTo("[unsubscribe, t, :0]");
        }
    }

    /** The server writes a long reply meanwhile, with the end of the subscription among what it has read. */
    @Test
    void messages_thatCameBeforeTheEndOfTheSubscription_areNotDropped() throws IOException {
        try (Client subscriber = new Client(4096);
                Client publisher = new Client()) {
            subscriber.ask("SUBSCRIBE", "t");
            String text = "x".repeat(20_000_000); // more than the system keeps
            subscriber.write(request("PING", text) + request("PING", "after") + request("UNSUBSCRIBE", "t"));
            subscriber.awaitInput();
            for (int i = 0; i < 10; i++) {
                assertThat(publisher.ask("PUBLISH", "t", "m" + i)).isEqualTo(":1");
            }
            assertThat(subscriber.reply()).hasSize(text.length() + "[pong, ]".length());
            List<String> replies = new ArrayList<>();
            while (!replies.contains("[unsubscribe, t, :0]")) {
                replies.add(subscriber.reply());
            }
            replies.remove("[pong, after]"); // before or after the first of them
            assertThat(replies).hasSize(11).last().isEqualTo("[unsubscribe, t, :0]");
            for (int i = 0; i < 10; i++) {
                assertThat(replies).element(i).isEqualTo("[message, t, m" + i + "]");
            }
        }
    }

    @Test
    void slowSubscriber_isDisconnected_andHoldsUpNobody() throws IOException {
        try (Client slow = new Client(4096);
                Client publisher = new Client()) {
            slow.ask("SUBSCRIBE", "t");
            String text = "x".repeat(100_000);
            int sent = 0;
            while (publisher.ask("PUBLISH", "t", text).equals(":1")) {
                assertThat(++sent).isLessThan(2000); // 200 MB: far more than the server and the system keep
            }
            assertThat(sent).isGreaterThan(100);
            assertThat(publisher.ask("PUBLISH", "t", "x")).isEqualTo(":0");
            assertThat(slow.ended()).isTrue();
        }
    }

    /* ---------------- Connections -------------- */

    @Test
    void thousandsOfConnections_areServedAtOnce() throws IOException {
        int count = 2000;
        List<Client> clients = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                clients.add(new Client(4096));
            }
            for (Client client : clients) {
                client.write(request("INCR", "n") + request("SUBSCRIBE", "t"));
            }
            for (Client client : clients) {
                assertThat(client.reply()).startsWith(":");
                assertThat(client.reply()).isEqualTo("[subscribe, t, :1]");
            }
            try (Client publisher = new Client()) {
                assertThat(publisher.ask("GET", "n")).isEqualTo("" + count);
                assertThat(publisher.ask("PUBLISH", "t", "all")).isEqualTo(":" + count);
            }
            for (Client client : clients) {
                assertThat(client.reply()).isEqualTo("[message, t, all]");
            }
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
    }

    @Test
    void garbage_endsItsConnection_andNoOther() throws IOException {
        try (Client good = new Client()) {
            for (String garbage :
                    List.of("*x\r\n", "*1\r\n$99999999999\r\n", "*2147483648\r\n", "*1\r\nx\r\n", "get \"\r\n")) {
                try (Client bad = new Client()) {
                    bad.write(request("SET", "k", "before") + garbage + "x".repeat(1000));
                    assertThat(bad.reply()).isEqualTo("+OK");
                    assertThat(bad.reply()).startsWith("-ERR Protocol error: ");
                    assertThat(bad.ended()).isTrue();
                }
                assertThat(good.ask("GET", "k")).isEqualTo("before");
            }
        }
    }

    @Test
    void randomBytes_endTheirConnection_orAreCommands() throws IOException {
        Random random = new Random(11);
        try (Client good = new Client()) {
            for (int i = 0; i < 50; i++) {
                byte[] bytes = new byte[random.nextInt(2000)];
                random.nextBytes(bytes);
                try (Client bad = new Client()) {
                    bad.write(new String(bytes, ISO_8859_1)); // one segment, which is taken whole
                    bad.endOutput();
                    assertThat(bad.ended()).isTrue();
                }
            }
            assertThat(good.ask("PING")).isEqualTo("+PONG");
        }
    }

    @Test
    void sigterm_endsAllSessions() throws Exception {
        try (Client idle = new Client();
                Client subscribed = new Client();
                Client within = new Client()) {
            idle.ask("PING");
            subscribed.ask("SUBSCRIBE", "t");
            within.write("*2\r\n$3\r\n");
            server.signal("TERM");
            assertThat(server.ended()).isIn(0, 143);
            assertThat(idle.ended()).isTrue();
            assertThat(subscribed.ended()).isTrue();
            assertThat(within.ended()).isTrue();
            assertThat(server.err()).contains("with exit code 0").doesNotContain("aborted", "Exception");
        }
    }

    @Test
    void badPort_isOneSentence() throws Exception {
        stop();
        try (Program bad = Program.start(folder, "MiniRedis", "65536")) {
            assertThat(bad.ended()).isEqualTo(2);
            assertThat(bad.err()).hasLineCount(1).contains("\"65536\"");
        }
        try (Program help = Program.start(folder, "MiniRedis", "--help")) {
            assertThat(help.ended()).isZero();
            assertThat(help.out()).contains("usage: MiniRedis [port]");
        }
    }

    @Test
    void busyPort_isOneSentence() throws Exception {
        Path other = folder.resolve("other");
        Files.createDirectory(other);
        try (Program second = Program.start(other, "MiniRedis", Integer.toString(port))) {
            assertThat(second.ended()).isEqualTo(1);
            assertThat(second.err()).contains("MiniRedis: ").contains(":" + port);
        }
    }
}
