package dev.kumihimo.fs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads a whole file, and decodes it if it is text. */
final class FileRead implements FileWork.Steps {
    /** The longest array that every JVM makes. */
    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

    private static final int UNKNOWN_BYTES = 8 * 1024;

    private final Path path;
    private final @Nullable Charset charset;
    private @Nullable SeekableByteChannel channel;
    private byte[] bytes = new byte[0];
    private int count;
    private String text = "";

    FileRead(Path path, @Nullable Charset charset) {
        this.path = path;
        this.charset = charset;
    }

    @Override
    public boolean step() throws IOException {
        SeekableByteChannel from = channel;
        if (from == null) {
            from = channel = Files.newByteChannel(path);
            long size = from.size(); // 0 if the system cannot tell
            bytes = new byte[size == 0 ? UNKNOWN_BYTES : checked(size)];
        }
        for (long stop = (long) count + FileWork.STEP_BYTES; count < stop; ) {
            int room = (int) Math.min(bytes.length, stop) - count;
            ByteBuffer into = room == 0 ? ByteBuffer.allocate(1) : ByteBuffer.wrap(bytes, count, room);
            int read = from.read(into);
            if (read < 0) {
                end(from);
                return true;
            }
            if (room == 0) { // it goes on behind its size
                bytes = Arrays.copyOf(bytes, checked(Math.max(count + 1L, Math.min(count * 2L, MAX_BYTES))));
                bytes[count] = into.get(0);
            }
            count += read;
        }
        return false;
    }

    private void end(SeekableByteChannel from) throws IOException {
        from.close();
        if (count < bytes.length) {
            bytes = Arrays.copyOf(bytes, count);
        }
        if (charset != null) {
            text = decoded(charset);
        }
    }

    /** A replacement in the text may have been in the file: only the strict decoder, which is slower, can tell. */
    private String decoded(Charset charset) throws FileSystemException {
        String decoded = new String(bytes, charset);
        CharsetDecoder strict = charset.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        if (decoded.contains(strict.replacement())) {
            try {
                strict.decode(ByteBuffer.wrap(bytes));
            } catch (CharacterCodingException e) {
                FileSystemException bad = new FileSystemException(path.toString(), null, "is not valid " + charset);
                bad.initCause(e);
                throw bad;
            }
        }
        return decoded;
    }

    private int checked(long size) {
        if (size > MAX_BYTES) {
            throw new OutOfMemoryError(path + " has more than " + MAX_BYTES + " bytes, which no array holds");
        }
        return (int) size;
    }

    /** {@return what was read, once the last step has been done} */
    byte[] bytes() {
        return bytes;
    }

    /** {@return the same as text, if there is a charset} */
    String text() {
        return text;
    }

    @Override
    public void abandon() throws IOException {
        if (channel != null) {
            channel.close();
        }
    }
}
