package dev.kumihimo.test.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** One thing that a script says. Its state is guarded by the lock of who plays it. */
final class ScriptStep {
    /** What it is. */
    enum Kind {
        READ,
        READ_ERROR,
        END,
        WRITE,
        WRITE_ERROR,
        WAIT;

        /** {@return whether it is what a read meets} */
        boolean isRead() {
            return this == READ || this == READ_ERROR || this == END;
        }
    }

    private static final byte[] NONE = {};
    private static final int SHOWN = 48;

    final Kind kind;
    final byte[] bytes;
    final @Nullable IOException failure;
    final long nanos;

    /** How many of the bytes were played. */
    int at;

    boolean played;

    private ScriptStep(Kind kind, byte[] bytes, @Nullable IOException failure, long nanos) {
        this.kind = kind;
        this.bytes = bytes;
        this.failure = failure;
        this.nanos = nanos;
    }

    static ScriptStep of(Kind kind, byte[] bytes) {
        if (bytes.length == 0) {
            throw new IllegalArgumentException("bytes.length=0 must be at least 1");
        }
        return new ScriptStep(kind, bytes, null, 0);
    }

    static ScriptStep failure(Kind kind, IOException failure) {
        return new ScriptStep(kind, NONE, failure, 0);
    }

    static ScriptStep pause(long nanos) {
        return new ScriptStep(Kind.WAIT, NONE, null, nanos);
    }

    static ScriptStep end() {
        return new ScriptStep(Kind.END, NONE, null, 0);
    }

    /** For reports: racy without the lock, and then at worst about to change. */
    @Override
    public String toString() {
        return switch (kind) {
            case READ -> "read " + text(bytes, 0) + (at == 0 ? "" : ", of which " + at + " bytes were read");
            case WRITE -> "write " + text(bytes, 0) + (at == 0 ? "" : ", of which " + at + " bytes were written");
            case READ_ERROR -> "a read that throws " + failure;
            case WRITE_ERROR -> "a write that throws " + failure;
            case WAIT -> "wait for " + Duration.ofNanos(nanos);
            case END -> "end";
        };
    }

    /** {@return bytes as text in quotes if they are UTF-8, and else in hexadecimal; not all if they are many} */
    static String text(byte[] bytes, int from) {
        int length = Math.min(bytes.length - from, SHOWN);
        String more = from + length < bytes.length ? " and " + (bytes.length - from - length) + " bytes more" : "";
        try {
            return '"' + escape(decode(bytes, from, length)) + '"' + more;
        } catch (CharacterCodingException e) {
            return hex(bytes, from) + more;
        }
    }

    private static String decode(byte[] bytes, int from, int length) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes, from, length))
                .toString();
    }

    /** {@return bytes in hexadecimal; not all if they are many} */
    static String hex(byte[] bytes, int from) {
        int length = Math.min(bytes.length - from, SHOWN);
        return HexFormat.ofDelimiter(" ").formatHex(bytes, from, from + length)
                + (from + length < bytes.length ? " ..." : "");
    }

    private static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        text.chars().forEach(c -> {
            switch (c) {
                case '\n' -> escaped.append("\\n");
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                case '"' -> escaped.append("\\\"");
                case '\\' -> escaped.append("\\\\");
                default -> {
                    if (c < ' ' || c == 0x7f) {
                        escaped.append(String.format("\\u%04x", c));
                    } else {
                        escaped.append((char) c);
                    }
                }
            }
        });
        return escaped.toString();
    }
}
