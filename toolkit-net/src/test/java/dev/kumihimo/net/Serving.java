package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.slf4j.LoggerFactory;

/** A server that serves in a runtime of its own, and what tests do with it. */
record Serving(
        TaskRuntime runtime, TcpListener listener, TcpServer<TcpStream> server, JoinHandle<TcpServer.Report> task)
        implements AutoCloseable {
    private static final int CARRIERS = 2;

    static Serving start(
            Function<TcpServer<TcpStream>, TcpServer<TcpStream>> options,
            Function<TcpServer<TcpStream>, TcpServer.Handler<TcpStream>> handler)
            throws IOException {
        TaskRuntime runtime = Loopback.runtime(CARRIERS);
        TcpListener listener = TcpListener.bind(HOST, 0);
        TcpServer<TcpStream> server = options.apply(TcpServer.of(listener));
        TcpServer.Handler<TcpStream> made = handler.apply(server);
        return new Serving(runtime, listener, server, runtime.spawn(() -> server.serve(made)));
    }

    static Serving echo(Function<TcpServer<TcpStream>, TcpServer<TcpStream>> options) throws IOException {
        return start(options, server -> Serving::echo);
    }

    static void echo(TcpStream session) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1024);
        while (session.read(buffer) >= 0) {
            session.writeAll(buffer.flip());
            buffer.clear();
        }
    }

    /** Echoes until the server ends. */
    static TcpServer.Handler<TcpStream> echoUntilStopped(TcpServer<TcpStream> server) {
        return session -> server.token().run(() -> echo(session));
    }

    Socket connect() throws IOException {
        Socket client = new Socket(HOST, listener.localAddress().getPort());
        client.setSoTimeout(30_000);
        return client;
    }

    static int answer(Socket client, int sent) throws IOException {
        client.getOutputStream().write(sent);
        return client.getInputStream().read();
    }

    static String sessionOf(Socket client) {
        return "session-127.0.0.1:" + client.getLocalPort();
    }

    void untilConnections(int count) {
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(1))
                .until(() -> server.connections() == count);
    }

    /** Waits until a task waits for something of the toolkit. */
    static void untilWaiting(Task task) {
        Waiter waiter = (Waiter) task;
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(1))
                .until(() -> waiter.openWait() != null);
    }

    /** Ends everything, however far it got. */
    @Override
    public void close() {
        task.abort();
        server.close();
        runtime.close();
    }

    /** What the toolkit logs while this is open, but for the sentinel's remarks on a busy machine. */
    static final class Log extends AppenderBase<ILoggingEvent> implements AutoCloseable {
        private final Logger logger = (Logger) LoggerFactory.getLogger("dev.kumihimo");
        private final Level before = logger.getLevel();
        final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();

        Log() {
            logger.setLevel(Level.DEBUG);
            logger.setAdditive(false);
            logger.addAppender(this);
            start();
        }

        @Override
        protected void append(ILoggingEvent event) {
            if (!event.getMessage().contains("has held carrier")) {
                events.add(event);
            }
        }

        List<String> of(Level level) {
            return events.stream()
                    .filter(event -> event.getLevel() == level)
                    .map(ILoggingEvent::getFormattedMessage)
                    .toList();
        }

        @Override
        public void close() {
            logger.detachAppender(this);
            logger.setAdditive(true);
            logger.setLevel(before);
            stop();
        }
    }
}
