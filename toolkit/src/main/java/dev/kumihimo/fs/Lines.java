package dev.kumihimo.fs;

import dev.kumihimo.channel.ItemHandler;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Waiter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a file, one after the other: see {@link Fs#lines(Path)}.
 *
 * <pre>{@code
 * try (Lines lines = Fs.lines(path)) {
 *     for (String line; (line = lines.nextOrNull()) != null; ) {
 *         handle(line);
 *     }
 * }
 * }</pre>
 *
 * <p>A line ends with a line feed, a carriage return, both in this order, or with the file. The file is read 128 KiB at a time,
 * so that one line in a great many waits for the disk. Memory is bounded by that and by the longest line allowed.
 *
 * <p>Belongs to one thread at a time.
 *
 * <p><b>Interruption and cancellation.</b> A line that is there is given, also in a cancelled task, except that every 128 of them
 * a task yields and looks. A call that throws has taken no line: the next one gives it.
 *
 * @since 0.1
 */
public final class Lines implements AutoCloseable {
    private static final int BATCH_BYTES = 128 * 1024;
    private static final int MIN_BYTES = 8 * 1024;
    private static final int DECODED_CHARS = 8 * 1024;
    private static final int DEFAULT_MAX_LENGTH = 1 << 24;

    private final Path path;
    private final SeekableByteChannel channel;
    private final boolean regular;
    private final CharsetDecoder decoder;
    private final ByteBuffer bytes; // read and not decoded: from its position to its limit
    private boolean readAll;
    private char[] chars = new char[DECODED_CHARS];
    private int from; // decoded and not given: from here
    private int scanned; // up to here there is no end of a line
    private int to; // to here
    private boolean decodedAll;
    private boolean afterReturn; // a line feed that comes first belongs to the line before
    private long given;
    private int maxLength = DEFAULT_MAX_LENGTH;
    private boolean closed;

    private Lines(Path path, Charset charset, SeekableByteChannel channel) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        this.path = path;
        this.channel = channel;
        this.regular = attributes.isRegularFile();
        this.decoder = charset.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        long size = attributes.size(); // 0 if the system cannot tell
        boolean whole = regular && size > 0 && size < BATCH_BYTES;
        this.bytes = ByteBuffer.allocate(whole ? Math.max(MIN_BYTES, (int) size + 1) : BATCH_BYTES)
                .limit(0);
    }

    /** Opens a file and reads its beginning. */
    static Lines open(Path path, Charset charset) throws IOException {
        SeekableByteChannel channel = Files.newByteChannel(path);
        try {
            Lines lines = new Lines(path, charset, channel);
            lines.fill();
            return lines;
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    /** Tells a test of itself. */
    void tell() {
        Points.made(this, aborted -> channel.isOpen() ? "not closed" : null);
    }

    /**
     * Sets how long a line may be.
     *
     * @param chars how many {@code char}s at most, without the end of the line; 1 or more. 16 Mi unless this is called
     * @return this
     * @throws IllegalArgumentException if it is less than 1
     */
    public Lines maxLength(int chars) {
        if (chars < 1) {
            throw new IllegalArgumentException("chars=" + chars + " must be at least 1");
        }
        maxLength = chars;
        return this;
    }

    /** {@return how many lines were given, which is the number of the last one} */
    public long lineNumber() {
        return given;
    }

    /**
     * Takes the next line, and waits for the disk if there is none in memory.
     *
     * @return the line, without its end; null if there is none left
     * @throws FileSystemException if the line is longer than allowed or not valid in the charset, with the path and the number of
     *     the line; the next call says the same
     * @throws IOException if reading fails; a next call tries again
     * @throws InterruptedException if interrupted or cancelled while it would wait; no line was taken
     */
    public @Nullable String nextOrNull() throws IOException, InterruptedException {
        Waiter.spend();
        if (closed) {
            throw new ClosedChannelException();
        }
        while (true) {
            int end = endOfLine();
            if (end >= 0 || decodedAll && from < to) {
                return take(end);
            }
            if (decodedAll) {
                return null;
            }
            if (!decode()) {
                FileWork.<@Nullable Void>call(path, this::fill);
            }
        }
    }

    /**
     * Takes and handles all lines that are left.
     *
     * @param handler what to do with each
     * @param <X> what the handler throws
     * @throws IOException as {@link #nextOrNull()}
     * @throws InterruptedException if interrupted or cancelled while it would wait for the next line; or by the handler
     * @throws X by the handler
     */
    public <X extends Exception> void forEach(ItemHandler<? super String, X> handler)
            throws IOException, InterruptedException, X {
        for (String line; (line = nextOrNull()) != null; ) {
            handler.handle(line);
        }
    }

    /** {@return where the line ends that begins at {@code from}, or -1 if its end is not there} */
    private int endOfLine() throws FileSystemException {
        if (afterReturn && from < to) {
            afterReturn = false;
            if (chars[from] == '\n') {
                from++;
            }
        }
        int end = -1;
        int i = Math.max(scanned, from);
        for (; i < to; i++) {
            char c = chars[i];
            if (c == '\n' || c == '\r') {
                end = i;
                break;
            }
        }
        scanned = i;
        if (i - from > maxLength) {
            throw bad("is longer than " + maxLength + " characters", null);
        }
        return end;
    }

    private String take(int end) {
        String line = new String(chars, from, scanned - from);
        afterReturn = end >= 0 && chars[end] == '\r';
        from = end >= 0 ? end + 1 : scanned;
        given++;
        return line;
    }

    /** Decodes some of what was read; false if more is to be read first. */
    private boolean decode() throws FileSystemException {
        makeRoom();
        CharBuffer out = CharBuffer.wrap(chars, to, chars.length - to);
        CoderResult result = decoder.decode(bytes, out, readAll);
        if (result.isUnderflow() && readAll) {
            result = decoder.flush(out);
            decodedAll = result.isUnderflow();
        }
        boolean some = out.position() > to;
        to = out.position();
        if (result.isError() && !some) { // else those before it come first
            try {
                result.throwException();
            } catch (CharacterCodingException e) {
                throw bad("is not valid " + decoder.charset(), e);
            }
        }
        return some || decodedAll;
    }

    private void makeRoom() {
        if (from > 0) {
            System.arraycopy(chars, from, chars, 0, to - from);
            to -= from;
            scanned = Math.max(scanned - from, 0);
            from = 0;
        }
        if (chars.length - to < DECODED_CHARS / 2) {
            chars = Arrays.copyOf(chars, chars.length * 2);
        }
    }

    private FileSystemException bad(String what, @Nullable Exception cause) {
        FileSystemException e = new FileSystemException(path.toString(), null, "line " + (given + 1) + " " + what);
        if (cause != null) {
            e.initCause(cause);
        }
        return e;
    }

    /** On the blocking pool: reads until the buffer is full or the file ends, and then closes it. */
    private @Nullable Void fill() throws IOException {
        bytes.compact();
        try {
            int count;
            do {
                count = channel.read(bytes);
            } while (count > 0 && regular && bytes.hasRemaining()); // a pipe may have no more for now
            readAll = count < 0;
        } finally {
            bytes.flip();
        }
        if (readAll) {
            channel.close();
        }
        return null;
    }

    /**
     * Closes the file, if that is still open. Cannot be interrupted or cancelled.
     *
     * @throws IOException if the system reports an error; the file is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        closed = true;
        if (channel.isOpen()) {
            FileWork.<@Nullable Void>finish(path, () -> {
                channel.close();
                return null;
            });
        }
    }

    @Override
    public String toString() {
        return "Lines[" + path + ", " + given + " given" + (closed ? ", closed]" : "]");
    }
}
