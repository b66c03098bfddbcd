package dev.kumihimo.examples;

import dev.kumihimo.codec.Codec;
import dev.kumihimo.codec.FrameBuffer;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * RESP2, the protocol of Redis, as a server speaks it: requests are arrays of byte strings or a line of words, at least one of
 * them each.
 *
 * <p>What has come of an argument is taken at once, and memory grows with what has come, not with the length that a peer
 * announces. So however large a request is, what waits undecoded is never more than a line.
 */
final class RespCodec implements Codec<byte[][], Reply> {
    static final int MAX_ARGUMENTS = 1 << 20;
    static final int MAX_ARGUMENT = 64 << 20;
    static final int MAX_REQUEST = 128 << 20;
    static final int MAX_LINE = 64 << 10;

    private static final byte[][] NONE = {};
    private static final byte[] CRLF = {'\r', '\n'};
    private static final int MAX_DIGITS = 20;
    private static final long INCOMPLETE = Long.MIN_VALUE;

    /** How much is allocated at once for what has not come. */
    private static final int STEP = 64 << 10;

    /** The first lines of short strings. */
    private static final byte[][] BULK_HEADERS = new byte[1024][];

    static {
        Arrays.setAll(BULK_HEADERS, length -> line('$', length));
    }

    /** The bytes are no request. The stream cannot be read on. */
    static final class ProtocolException extends IOException {
        private static final long serialVersionUID = 1;

        ProtocolException(String message) {
            super("Protocol error: " + message);
        }
    }

    private final int maxRequest;
    private byte[][] arguments = NONE; // of the request that is being read, as many as have come and some room
    private int expected; // how many there will be; 0 between requests
    private int complete; // how many there are
    private int length = -1; // of the next argument; -1 before its first line
    private byte[] part = {}; // what has come of it, if it did not come at once
    private int filled; // how much of the part is
    private int size; // of all arguments
    private int scanned; // how far an incomplete line of words has been searched for its end

    RespCodec() {
        this(MAX_REQUEST);
    }

    /** With another limit than {@link #MAX_REQUEST}. */
    RespCodec(int maxRequest) {
        this.maxRequest = maxRequest;
    }

    /* ---------------- Requests -------------- */

    @Override
    public byte @Nullable [] @Nullable [] decode(ByteBuffer input) throws IOException {
        while (expected == 0) {
            if (!input.hasRemaining()) {
                return null;
            }
            if (input.get(input.position()) != '*') {
                byte[] line = takeLine(input);
                if (line == null) {
                    return null;
                }
                byte[][] words = InlineWords.split(line);
                if (words.length > 0) {
                    return words;
                }
            } else if (!takeArrayHeader(input)) {
                return null;
            }
        }
        while (complete < expected) {
            byte[] argument = takeArgument(input);
            if (argument == null) {
                return null;
            }
            if (complete == arguments.length) {
                arguments = Arrays.copyOf(arguments, Math.min(expected, 2 * complete));
            }
            arguments[complete++] = argument;
        }
        byte[][] request = arguments;
        arguments = NONE;
        expected = 0;
        return request;
    }

    @Override
    public byte @Nullable [] @Nullable [] decodeEnd(ByteBuffer input) throws IOException {
        byte[][] request = decode(input);
        if (request == null && (input.hasRemaining() || expected > 0)) {
            throw new EOFException("the input ended within a request");
        }
        return request;
    }

    /** Begins a request, unless it is an empty one; false if its first line is incomplete. */
    private boolean takeArrayHeader(ByteBuffer input) throws ProtocolException {
        long count = takeNumber(input, "invalid multibulk length");
        if (count == INCOMPLETE) {
            return false;
        }
        if (count > MAX_ARGUMENTS) {
            throw new ProtocolException("invalid multibulk length");
        }
        expected = (int) Math.max(0, count);
        complete = 0;
        size = 0;
        arguments = expected == 0 ? NONE : new byte[Math.min(expected, 16)][];
        return true;
    }

    /** Returns the next argument, or null if it is incomplete. */
    private byte @Nullable [] takeArgument(ByteBuffer input) throws ProtocolException {
        if (length < 0) {
            if (!input.hasRemaining()) {
                return null;
            }
            byte kind = input.get(input.position());
            if (kind != '$') {
                throw new ProtocolException("expected '$', got '" + (char) (kind & 0xff) + "'");
            }
            long announced = takeNumber(input, "invalid bulk length");
            if (announced == INCOMPLETE) {
                return null;
            }
            if (announced < 0 || announced > MAX_ARGUMENT) {
                throw new ProtocolException("invalid bulk length");
            }
            size += (int) announced; // both are far from the end of the range
            if (size > maxRequest) {
                throw new ProtocolException("too big request");
            }
            length = (int) announced;
        }
        if (filled == 0 && input.remaining() >= length + CRLF.length) {
            byte[] argument = new byte[length];
            input.get(argument);
            return finished(argument, input);
        }
        return takePart(input);
    }

    private byte @Nullable [] takePart(ByteBuffer input) throws ProtocolException {
        int count = Math.min(input.remaining(), length - filled);
        if (filled + count > part.length) {
            int room = Math.max(filled + count, Math.max(STEP, 2 * part.length));
            part = Arrays.copyOf(part, Math.min(length, room));
        }
        input.get(part, filled, count);
        filled += count;
        if (filled < length || input.remaining() < CRLF.length) {
            return null;
        }
        byte[] argument = part;
        part = new byte[0];
        filled = 0;
        return finished(argument, input);
    }

    private byte[] finished(byte[] argument, ByteBuffer input) throws ProtocolException {
        if (input.get() != '\r' || input.get() != '\n') {
            throw new ProtocolException("expected the end of a line after " + length + " bytes");
        }
        length = -1;
        return argument;
    }

    /** Takes a line that is a number after its first character; {@link #INCOMPLETE} if it has not come. */
    private static long takeNumber(ByteBuffer input, String error) throws ProtocolException {
        int at = input.position() + 1;
        int limit = input.limit();
        boolean negative = at < limit && input.get(at) == '-';
        int start = negative ? at + 1 : at;
        long number = 0;
        for (at = start; at < limit; at++) {
            int digit = input.get(at) - '0';
            if (digit < 0 || digit > 9 || at - start > MAX_DIGITS) {
                break;
            }
            number = Math.min(10 * number + digit, Integer.MAX_VALUE); // more than any limit
        }
        if (at >= limit || (input.get(at) == '\r' && at + 1 == limit)) {
            return INCOMPLETE;
        }
        if (at == start || input.get(at) != '\r' || input.get(at + 1) != '\n') {
            throw new ProtocolException(error);
        }
        input.position(at + CRLF.length);
        return negative ? -number : number;
    }

    /** Takes a line, without its end, or returns null. */
    private byte @Nullable [] takeLine(ByteBuffer input) throws ProtocolException {
        int start = input.position();
        int end = start + scanned;
        while (end < input.limit() && input.get(end) != '\n') {
            end++;
        }
        if (end - start > MAX_LINE) {
            throw new ProtocolException("too big inline request");
        }
        if (end == input.limit()) {
            scanned = end - start;
            return null;
        }
        scanned = 0;
        byte[] line = new byte[end > start && input.get(end - 1) == '\r' ? end - 1 - start : end - start];
        input.get(line);
        input.position(end + 1);
        return line;
    }

    /* ---------------- Replies -------------- */

    @Override
    public void encode(Reply reply, FrameBuffer target) {
        switch (reply) {
            case Reply.Encoded encoded -> target.put(encoded.bytes());
            case Reply.Bulk(byte[] value) -> {
                target.put(value.length < BULK_HEADERS.length ? BULK_HEADERS[value.length] : line('$', value.length));
                target.put(value);
                target.put(CRLF);
            }
            case Reply.Number(long value) -> target.put(line(':', value));
            case Reply.Failure(String message) -> {
                String line = message.replace('\r', ' ').replace('\n', ' ');
                target.put(("-" + line + "\r\n").getBytes(StandardCharsets.UTF_8));
            }
            case Reply.Array array -> {
                target.put(line('*', array.items().size()));
                for (Reply item : array.items()) {
                    encode(item, target);
                }
            }
        }
    }

    private static byte[] line(char kind, long number) {
        return (kind + Long.toString(number) + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    }
}
