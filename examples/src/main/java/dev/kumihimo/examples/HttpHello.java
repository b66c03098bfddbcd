package dev.kumihimo.examples;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.examples.HttpCodec.Answer;
import dev.kumihimo.examples.HttpCodec.Refused;
import dev.kumihimo.examples.HttpCodec.Request;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.signal.Service;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.time.Timeout;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** An HTTP/1.1 server on 127.0.0.1 that says hello, with keep-alive, pipelining and a deadline for slow clients. */
public final class HttpHello {
    private static final String USAGE = """
            usage: HttpHello [port] [--idle SECONDS]
            answers GET and HEAD on 127.0.0.1, port 8080 by default, 0 for any: / with a greeting, /NAME with one for NAME
              --idle SECONDS   closes a connection whose next request does not arrive within this time, or that does not take
                               its answers; 1 to 3600, 10 by default
            SIGINT and SIGTERM let the connections end for up to 10 s
            exit code: 0 ended in order; 1 the port cannot be had, or connections were cut off; 2 bad arguments
            example: HttpHello 8080 & curl http://127.0.0.1:8080/Ada""";

    private static final Duration DRAIN = Duration.ofSeconds(10);
    private static final Duration GRACE = Duration.ofSeconds(5);

    private HttpHello() {}

    /** Serves until the process is told to end. */
    public static void main(String[] arguments) throws InterruptedException {
        int port = 8080;
        int idle = 10;
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--help", "-h" -> {
                    System.out.println(USAGE);
                    return;
                }
                case "--idle" -> idle = number("--idle", ++i < arguments.length ? arguments[i] : "", 1, 3600);
                default -> port = number("the port", arguments[i], 0, 65535);
            }
        }
        serve(port, Duration.ofSeconds(idle));
    }

    private static void serve(int port, Duration idle) throws InterruptedException {
        int status = Service.run(DRAIN, service -> {
            TcpListener listener;
            try {
                listener = TcpListener.bind("127.0.0.1", port);
            } catch (IOException e) {
                System.err.println("HttpHello: " + e.getMessage() + ".");
                System.exit(1);
                return;
            }
            System.out.println("HttpHello is listening on http://127.0.0.1:"
                    + listener.localAddress().getPort() + "/");
            TcpServer<TcpStream> server = TcpServer.of(listener).in(service);
            server.serve(session -> answerAll(session, idle, server.token()));
        });
        System.exit(status);
    }

    private static int number(String what, String text, int least, int most) {
        if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
            System.err.println(
                    "HttpHello: " + what + " \"" + text + "\" is not a number from " + least + " to " + most + ".");
            System.exit(2);
        }
        return Integer.parseInt(text);
    }

    private static void answerAll(TcpStream session, Duration idle, CancellationToken stop)
            throws IOException, InterruptedException, TimeoutException {
        HttpCodec codec = new HttpCodec();
        Framed<Request, Answer> http = Framed.of(session, codec);
        try {
            boolean goesOn = true;
            while (goesOn) {
                Request request = http.tryReceiveBuffered();
                if (request == null) { // all that has come is answered: send it, in one piece if it was asked in one
                    flush(http, idle);
                    request = next(http, codec, idle, stop);
                }
                if (request == null) {
                    return;
                }
                Answer answer = answer(request);
                Timeout.call(idle, () -> http.feed(answer)); // waits for a client that does not read
                goesOn = request.keepsAlive();
            }
            flush(http, idle);
            linger(session);
        } catch (EOFException e) { // the client sends no more: between two requests, or within one
            flush(http, idle);
        } catch (Refused e) {
            Answer refusal = new Answer(e.status, e.getMessage() + "\n", false, true);
            Timeout.call(idle, () -> http.send(refusal));
            linger(session);
        }
    }

    /** Waits for a request; null if none has begun in time, or the server is to end. */
    private static @Nullable Request next(
            Framed<Request, Answer> http, HttpCodec codec, Duration idle, CancellationToken stop)
            throws IOException, InterruptedException {
        try {
            return stop.run(() -> http.receive(idle));
        } catch (TaskCancelledException e) {
            if (e.isOwn()) {
                throw e; // not the server's token, but this task
            }
            return null;
        } catch (SocketTimeoutException e) {
            if (!codec.hasBegun()) {
                return null; // an idle client would take whatever it is sent for the next answer
            }
            throw new Refused(408, "too slow");
        }
    }

    private static void flush(Framed<Request, Answer> http, Duration idle)
            throws IOException, InterruptedException, TimeoutException {
        Timeout.call(idle, http::flush);
    }

    /** Closing while bytes are unread would reset the connection, and the client might never see the answer: so they are read. */
    private static void linger(TcpStream session) throws IOException {
        session.shutdownOutput();
        ByteBuffer dropped = ByteBuffer.allocate(8 * 1024);
        try {
            Timeout.call(GRACE, () -> {
                while (session.read(dropped.clear()) >= 0) {
                    // until the client closes
                }
            });
        } catch (TimeoutException e) {
            // it has had time to read
        }
    }

    private static Answer answer(Request request) {
        boolean withBody = !request.method().equals("HEAD");
        if (withBody && !request.method().equals("GET")) {
            return new Answer(405, "GET and HEAD only\n", request.keepsAlive(), true);
        }
        String name = nameIn(request.target());
        return name == null
                ? new Answer(404, "nothing here\n", request.keepsAlive(), withBody)
                : new Answer(200, "Hello, " + name + "!\n", request.keepsAlive(), withBody);
    }

    private static @Nullable String nameIn(String target) {
        if (target.equals("/")) {
            return "world";
        }
        return target.matches("/[A-Za-z0-9._-]{1,64}") ? target.substring(1) : null;
    }
}
