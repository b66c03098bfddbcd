package dev.kumihimo.examples;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** Splits a request that a person types into words: those in quotes may have spaces, those in double quotes escapes too. */
final class InlineWords {
    private static final String UNBALANCED = "unbalanced quotes in request";

    private final byte[] line;
    private int at;

    private InlineWords(byte[] line) {
        this.line = line;
    }

    /** {@return the words of a line} */
    static byte[][] split(byte[] line) throws RespCodec.ProtocolException {
        InlineWords words = new InlineWords(line);
        List<byte[]> found = new ArrayList<>();
        while (words.skipSpace()) {
            found.add(words.next());
        }
        return found.toArray(new byte[0][]);
    }

    private boolean skipSpace() {
        while (at < line.length && isSpace(line[at])) {
            at++;
        }
        return at < line.length;
    }

    private byte[] next() throws RespCodec.ProtocolException {
        ByteArrayOutputStream word = new ByteArrayOutputStream();
        while (at < line.length && !isSpace(line[at])) {
            byte c = line[at++];
            if (c == '"' || c == '\'') {
                quoted(c, word);
                if (at < line.length && !isSpace(line[at])) {
                    throw new RespCodec.ProtocolException(UNBALANCED);
                }
                break;
            }
            word.write(c);
        }
        return word.toByteArray();
    }

    /** Goes on to the quote that ends what one has begun. */
    private void quoted(byte quote, ByteArrayOutputStream word) throws RespCodec.ProtocolException {
        while (at < line.length) {
            byte c = line[at++];
            if (c == quote) {
                return;
            }
            if (c != '\\' || at == line.length) {
                word.write(c);
            } else if (quote == '"') {
                word.write(escaped());
            } else if (line[at] == '\'') {
                word.write(line[at++]);
            } else {
                word.write(c);
            }
        }
        throw new RespCodec.ProtocolException(UNBALANCED);
    }

    private int escaped() {
        byte c = line[at++];
        if (c == 'x' && at + 1 < line.length) {
            int high = Character.digit(line[at], 16);
            int low = Character.digit(line[at + 1], 16);
            if (high >= 0 && low >= 0) {
                at += 2;
                return 16 * high + low;
            }
        }
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'a' -> 7;
            default -> c;
        };
    }

    private static boolean isSpace(byte c) {
        return c == ' ' || (c >= '\t' && c <= '\r') || c == 0;
    }
}
