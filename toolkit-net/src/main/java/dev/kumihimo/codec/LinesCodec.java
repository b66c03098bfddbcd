package dev.kumihimo.codec;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Lines of UTF-8 text. A line ends with a line feed, and a carriage return before that is no part of it; neither is it in the
 * strings. At the end of the stream what is left is the last line, if it is more than a carriage return.
 *
 * <pre>{@code
 * try (var lines = Framed.of(stream, LinesCodec.of(8192))) {
 *     for (String line; (line = lines.receiveOrNull()) != null; ) {
 *         lines.send("you said: " + line);
 *     }
 * }
 * }</pre>
 *
 * <p>A line that is too long, or no UTF-8, is a {@linkplain FrameException#recoverable() recoverable} error: what follows it
 * can be received. A string is sent as it is, with a line feed after it: one that contains line feeds arrives as several.
 *
 * <p>Belongs to one stream.
 *
 * @since 0.1
 */
public final class LinesCodec implements Codec<String, String> {
    private static final char REPLACEMENT = '\uFFFD';

    private final Chunker lines;

    private LinesCodec(int maxLength) {
        lines = Chunker.sequence(new byte[] {'\n'}, maxLength, "a line");
    }

    /** {@return a codec for lines of any length} Only for a peer that is trusted: a line without an end fills the memory. */
    public static LinesCodec unbounded() {
        return new LinesCodec(Integer.MAX_VALUE);
    }

    /**
     * {@return a codec for lines that are not too long}
     *
     * @param maxLength how many bytes a received line may have at most, with its carriage return and without its line feed; 1
     *     or more. What is longer is not kept
     * @throws IllegalArgumentException if it is less
     */
    public static LinesCodec of(int maxLength) {
        return new LinesCodec(maxLength);
    }

    @Override
    public @Nullable String decode(ByteBuffer input) throws FrameException {
        int length = lines.find(input);
        if (length < 0) {
            return null;
        }
        int start = input.position();
        input.position(start + length + lines.width());
        return text(input, start, length);
    }

    @Override
    public @Nullable String decodeEnd(ByteBuffer input) throws FrameException {
        String line = decode(input);
        if (line != null) {
            return line;
        }
        int start = input.position();
        int length = lines.rest(input);
        if (length == 0 || (length == 1 && input.get(start) == '\r')) {
            return null;
        }
        input.position(start + length);
        return text(input, start, length);
    }

    private static String text(ByteBuffer input, int start, int lineLength) throws FrameException {
        int length = lineLength > 0 && input.get(start + lineLength - 1) == '\r' ? lineLength - 1 : lineLength;
        String text;
        if (input.hasArray()) {
            text = new String(input.array(), input.arrayOffset() + start, length, StandardCharsets.UTF_8);
        } else {
            byte[] copy = new byte[length];
            input.get(start, copy);
            text = new String(copy, StandardCharsets.UTF_8);
        }
        if (text.indexOf(REPLACEMENT) >= 0) { // sent as such, or put there in place of what is no UTF-8
            check(input, start, length);
        }
        return text;
    }

    private static void check(ByteBuffer input, int start, int length) throws FrameException {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(input.slice(start, length));
        } catch (CharacterCodingException e) {
            FrameException told = new FrameException("a line of " + length + " bytes is no UTF-8", true);
            told.initCause(e);
            throw told;
        }
    }

    @Override
    public void encode(String frame, FrameBuffer target) {
        target.putUtf8(frame);
        target.put('\n');
    }
}
