package dev.kumihimo.examples;

import dev.kumihimo.codec.Codec;
import dev.kumihimo.codec.FrameBuffer;
import dev.kumihimo.codec.FrameException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** As much of HTTP/1.1 as {@link HttpHello} needs: request heads in, whole answers out. Bodies of requests are dropped. */
final class HttpCodec implements Codec<HttpCodec.Request, HttpCodec.Answer> {
    static final int LONGEST_HEAD = 8 * 1024;
    static final int LONGEST_BODY = 1024 * 1024;

    private static final Pattern REQUEST_LINE = Pattern.compile("([A-Z]{1,16}) (\\S{1,4096}) HTTP/1\\.([01])");
    private static final Pattern HEADER = Pattern.compile("([!#-'*+.^-z|~0-9A-Z-]+):[ \t]*(.*?)[ \t]*");

    private long bodyLeft;
    private boolean begun;

    /** A request without its body. */
    record Request(String method, String target, boolean keepsAlive) {}

    /** An answer; {@code withBody} is false for HEAD, which is told the length all the same. */
    record Answer(int status, String body, boolean keepsAlive, boolean withBody) {}

    /** What is wrong with a request, as the status of the answer. */
    static final class Refused extends FrameException {
        private static final long serialVersionUID = 1;

        final int status;

        Refused(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    /* ---------------- Requests -------------- */

    @Override
    public @Nullable Request decode(ByteBuffer input) throws Refused {
        int dropped = (int) Math.min(bodyLeft, input.remaining());
        input.position(input.position() + dropped);
        bodyLeft -= dropped;
        while (bodyLeft == 0 && input.remaining() >= 2 && isLineEnd(input, input.position())) {
            input.position(input.position() + 2); // before a request they mean nothing
        }
        begun = bodyLeft > 0 || input.hasRemaining();
        int end = bodyLeft > 0 ? -1 : endOfHead(input);
        if (end < 0) {
            if (bodyLeft == 0 && input.remaining() > LONGEST_HEAD) {
                throw new Refused(431, "the head is longer than " + LONGEST_HEAD + " bytes");
            }
            return null;
        }
        byte[] head = new byte[end - input.position()];
        input.get(head);
        return parse(new String(head, StandardCharsets.ISO_8859_1).split("\r\n"));
    }

    @Override
    public @Nullable Request decodeEnd(ByteBuffer input) throws IOException {
        Request request = decode(input);
        if (request == null && (bodyLeft > 0 || input.hasRemaining())) {
            throw new EOFException("the connection ended within a request");
        }
        return request;
    }

    /** {@return whether a part of a request has come} */
    boolean hasBegun() {
        return begun;
    }

    private static boolean isLineEnd(ByteBuffer input, int at) {
        return input.get(at) == '\r' && input.get(at + 1) == '\n';
    }

    /** {@return the index behind the first blank line, or -1} */
    private static int endOfHead(ByteBuffer input) {
        int last = Math.min(input.limit(), input.position() + LONGEST_HEAD);
        for (int i = input.position() + 3; i < last; i++) {
            if (isLineEnd(input, i - 1) && isLineEnd(input, i - 3)) {
                return i + 1;
            }
        }
        return -1;
    }

    private Request parse(String[] lines) throws Refused {
        boolean hasLength = false;
        Matcher first = REQUEST_LINE.matcher(lines[0]);
        if (!first.matches()) {
            throw new Refused(400, "no request line of HTTP/1.1");
        }
        boolean keepsAlive = first.group(3).equals("1");
        for (int i = 1; i < lines.length; i++) {
            Matcher header = HEADER.matcher(lines[i]);
            if (!header.matches()) {
                throw new Refused(400, "no header: line " + (i + 1));
            }
            String value = header.group(2).toLowerCase(Locale.ROOT);
            switch (header.group(1).toLowerCase(Locale.ROOT)) {
                case "connection" ->
                    keepsAlive = value.contains("keep-alive") || keepsAlive && !value.contains("close");
                case "content-length" -> {
                    if (hasLength) { // two that differ are how a request is smuggled in
                        throw new Refused(400, "two lengths");
                    }
                    hasLength = true;
                    bodyLeft = bodyLength(value);
                }
                case "transfer-encoding" -> throw new Refused(501, "a body in chunks is not understood");
                default -> {}
            }
        }
        return new Request(first.group(1), first.group(2), keepsAlive);
    }

    private static long bodyLength(String value) throws Refused {
        if (!value.matches("[0-9]{1,18}")) {
            throw new Refused(400, "no length: " + value);
        }
        long length = Long.parseLong(value);
        if (length > LONGEST_BODY) {
            throw new Refused(413, "the body is longer than " + LONGEST_BODY + " bytes");
        }
        return length;
    }

    /* ---------------- Answers -------------- */

    @Override
    public void encode(Answer answer, FrameBuffer target) {
        byte[] body = answer.body.getBytes(StandardCharsets.UTF_8);
        String head = "HTTP/1.1 " + answer.status + " " + reason(answer.status)
                + "\r\nContent-Type: text/plain; charset=utf-8"
                + "\r\nContent-Length: " + body.length
                + (answer.keepsAlive ? "\r\nConnection: keep-alive" : "\r\nConnection: close") + "\r\n\r\n";
        target.put(head.getBytes(StandardCharsets.ISO_8859_1));
        if (answer.withBody) {
            target.put(body);
        }
    }

    private static String reason(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 400 -> "Bad Request";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 408 -> "Request Timeout";
            case 413 -> "Content Too Large";
            case 431 -> "Request Header Fields Too Large";
            case 501 -> "Not Implemented";
            default -> throw new IllegalArgumentException("status=" + status + " has no reason here");
        };
    }
}
