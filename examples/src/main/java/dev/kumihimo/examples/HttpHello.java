package dev.kumihimo.examples;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.examples.HttpCodec.Answer;
import dev.kumihimo.examples.HttpCodec.Refused;
import dev.kumihimo.examples.HttpCodec.Request;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.signal.Service;
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
            answers GET and HEAD on 127.0.0.1, port 8080 by default: / with a greeting, /NAME with one for NAME
              --idle SECONDS   closes a connection whose next request does not arrive within this time; 1 to 3600, 10 by default
            SIGINT and SIGTERM let the connections end for up to 2 s
            exit code: 0 ended in order; 1 the port cannot be had, or connections were cut off; 2 bad arguments
            example: HttpHello 8080 & curl http://127.0.0.1:8080/Ada""";

    private static final Duration DRAIN = Duration.ofSeconds(2);
    private static final Duration GRACE = Duration.ofSeconds(1);

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
                case "--idle" -> idle = number("--idle", ++i < arguments.length ? arguments[i] : "", 3600);
                default -> port = number("the port", arguments[i], 65535);
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
            TcpServer.of(listener).in(service).serve(session -> answerAll(session, idle));
        });
        System.exit(status);
    }

    private static int number(String what, String text, int most) {
        if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > most) {
            System.err.println("HttpHello: " + what + " \"" + text + "\" is not a number from 1 to " + most + ".");
            System.exit(2);
        }
        return Integer.parseInt(text);
    }

    private static void answerAll(TcpStream session, Duration idle) throws IOException {
        Framed<Request, Answer> http = Framed.of(session, new HttpCodec());
        try {
            boolean goesOn = true;
            while (goesOn) {
                Request request = http.tryReceive();
                if (request == null) { // all that has come is answered: send it, in one piece if it was asked in one
                    http.flush();
                    request = http.receive(idle);
                }
                http.feed(answer(request));
                goesOn = request.keepsAlive();
            }
            http.flush();
        } catch (EOFException e) {
            // the client has gone, between two requests or within one
        } catch (SocketTimeoutException e) {
            refuse(http, session, 408, "too slow");
        } catch (Refused e) {
            refuse(http, session, e.status, e.getMessage());
        }
    }

    /** Closing while bytes are unread would reset the connection, and the client might never see the answer: so they are read. */
    private static void refuse(Framed<Request, Answer> http, TcpStream session, int status, @Nullable String why)
            throws IOException {
        http.send(new Answer(status, why + "\n", false, true));
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
