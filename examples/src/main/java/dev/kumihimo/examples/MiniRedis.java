package dev.kumihimo.examples;

import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.signal.Service;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * A small Redis on 127.0.0.1: strings, times to live, and publishing to subscribers, for {@code redis-cli} and client libraries.
 *
 * <p>Port 6379, or the one given. SIGINT and SIGTERM end it: no more connections, and each session ends when it has answered what
 * it has read.
 *
 * <p>Each session is one task, which decodes what has come, answers it, and writes the answers of a pipeline at once. Nothing is
 * kept on disk. Where Redis does one thing after the other, this does many at a time: a command on one key is atomic, one on
 * several keys does them one by one, and two publishers' messages may reach two subscribers in different orders. A subscriber
 * that falls 8,192 messages or 32 MiB behind is disconnected.
 */
public final class MiniRedis {
    private static final String USAGE = """
            usage: MiniRedis [port]    a small Redis on 127.0.0.1, port 6379 by default
            PING ECHO QUIT SELECT HELLO COMMAND CONFIG-GET, GET SET (EX PX NX XX GET KEEPTTL) MGET MSET DEL EXISTS
            INCR DECR INCRBY DECRBY, EXPIRE PEXPIRE PERSIST TTL PTTL, DBSIZE FLUSHALL, PUBLISH SUBSCRIBE UNSUBSCRIBE
            try: redis-cli -p 6379 set braid cord ex 60""";

    private static final Duration DRAIN = Duration.ofSeconds(5);

    private MiniRedis() {}

    /** Serves until the process is told to end. */
    public static void main(String[] arguments) throws InterruptedException {
        String argument = arguments.length == 0 ? "6379" : arguments[0];
        if (argument.equals("--help") || argument.equals("-h")) {
            System.out.println(USAGE);
            return;
        }
        if (!argument.matches("[0-9]{1,5}") || Integer.parseInt(argument) > 65535) {
            System.err.println("MiniRedis: the port \"" + argument + "\" is not a number from 0 to 65535.");
            System.exit(2);
        }
        System.exit(Service.run(DRAIN, service -> serve(service, Integer.parseInt(argument))));
    }

    private static void serve(Service service, int port) throws InterruptedException {
        TcpListener listener;
        try {
            listener = TcpListener.bind("127.0.0.1", port);
        } catch (IOException e) {
            System.err.println("MiniRedis: " + e.getMessage() + ".");
            System.exit(1);
            return;
        }
        RedisStore store = new RedisStore();
        RedisCommands commands = new RedisCommands(store);
        RedisTopics topics = new RedisTopics();
        Task.spawn(store::expire);
        InetSocketAddress address = listener.localAddress();
        System.out.println("MiniRedis is listening on " + address.getHostString() + ":" + address.getPort());
        TcpServer<TcpStream> server = TcpServer.of(listener).in(service);
        // At the end the token strikes where a session waits: it ends there, and not while it answers.
        server.serve(stream -> server.token().run(() -> {
            stream.noDelay(
                    true); // answers are written as one, and not held back until the ones before are acknowledged
            new RedisSession(stream, commands, topics).serve();
        }));
    }
}
