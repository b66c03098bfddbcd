package dev.kumihimo.examples;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@link MiniRedis} answers or pushes, see {@link RespCodec}. */
sealed interface Reply {
    Reply OK = Encoded.of("+OK\r\n");
    Reply PONG = Encoded.of("+PONG\r\n");
    Reply NIL = Encoded.of("$-1\r\n");
    Reply NO_ARRAY = Encoded.of("*-1\r\n");
    Reply ZERO = Encoded.of(":0\r\n");
    Reply ONE = Encoded.of(":1\r\n");

    /** Bytes that are a reply already. */
    record Encoded(byte[] bytes) implements Reply {
        static Encoded of(String text) {
            return new Encoded(text.getBytes(StandardCharsets.ISO_8859_1));
        }
    }

    /** An error, of one line that begins with its kind. */
    record Failure(String message) implements Reply {}

    /** A number. */
    record Number(long value) implements Reply {}

    /** A string of any bytes. */
    record Bulk(byte[] value) implements Reply {}

    /** Several replies as one. */
    record Array(List<Reply> items) implements Reply {}

    /** {@return a number} */
    static Reply of(long value) {
        return value == 0 ? ZERO : value == 1 ? ONE : new Number(value);
    }

    /** {@return a value, or that there is none} */
    static Reply of(byte @Nullable [] value) {
        return value == null ? NIL : new Bulk(value);
    }

    /** {@return a string} */
    static Reply of(String text) {
        return new Bulk(text.getBytes(StandardCharsets.UTF_8));
    }
}
