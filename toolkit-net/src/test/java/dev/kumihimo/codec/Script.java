package dev.kumihimo.codec;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Selectable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** A stream in memory that gives and takes what the test says. Not thread-safe. */
final class Script implements ByteStream {
    private static final Object PAUSE = new Object();

    private final Deque<Object> input = new ArrayDeque<>(); // a ByteBuffer, PAUSE or an IOException each
    private final Deque<Object> output = new ArrayDeque<>(); // an Integer, how many are taken, or an IOException each
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private boolean open = true;
    int reads;
    int ends;
    int longestRead;

    /* ---------------- What is to happen -------------- */

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Each piece is read by itself. */
    static Script of(String... pieces) {
        Script script = new Script();
        for (String piece : pieces) {
            script.data(bytes(piece));
        }
        return script;
    }

    Script data(byte[] piece) {
        input.add(ByteBuffer.wrap(piece));
        return this;
    }

    Script data(String piece) {
        return data(bytes(piece));
    }

    /** Nothing is there when it is tried once. */
    Script pause() {
        input.add(PAUSE);
        return this;
    }

    Script fail(IOException e) {
        input.add(e);
        return this;
    }

    /** A write takes so many bytes. */
    Script take(int count) {
        output.add(count);
        return this;
    }

    Script refuse(IOException e) {
        output.add(e);
        return this;
    }

    /** How many steps of the output were not reached. */
    int unused() {
        return output.size();
    }

    String written() {
        return text(written.toByteArray());
    }

    /* ---------------- Input -------------- */

    @Override
    public int read(ByteBuffer target) throws IOException {
        while (input.peek() == PAUSE) {
            input.remove();
        }
        return readNow(target);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        if (input.peek() == PAUSE) {
            input.remove();
            throw new SocketTimeoutException("scripted");
        }
        return readNow(target);
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        if (input.peek() == PAUSE) {
            input.remove();
            return 0;
        }
        return readNow(target);
    }

    private int readNow(ByteBuffer target) throws IOException {
        if (!open) {
            throw new ClosedChannelException();
        }
        reads++;
        longestRead = Math.max(longestRead, target.remaining());
        if (input.peek() instanceof IOException e) {
            input.remove();
            throw e;
        }
        ByteBuffer piece = (ByteBuffer) input.peek();
        if (piece == null) {
            ends++;
            return -1;
        }
        int count = Math.min(target.remaining(), piece.remaining());
        target.put(piece.slice(piece.position(), count));
        piece.position(piece.position() + count);
        if (!piece.hasRemaining()) {
            input.remove();
        }
        return count;
    }

    /** Never: only what was read tells a select. */
    @Override
    public Selectable<Void> readable() {
        return Channel.bounded(1);
    }

    /* ---------------- Output -------------- */

    @Override
    public int write(ByteBuffer source) throws IOException {
        Object step = output.isEmpty() ? (Integer) source.remaining() : output.remove();
        if (step instanceof IOException e) {
            throw e;
        }
        int count = Math.min(source.remaining(), (Integer) step);
        byte[] taken = new byte[count];
        source.get(taken);
        written.writeBytes(taken);
        return count;
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        while (source.hasRemaining()) {
            write(source);
        }
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        return write(source);
    }

    @Override
    public Selectable<Void> writable() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void shutdownOutput() {
        written.writeBytes(bytes("<end>"));
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
    }

    @Override
    public String toString() {
        return "script";
    }

    /* ---------------- Ways to cut -------------- */

    /** Many ways to cut an input: all, if it is short, else some by chance, whole and byte by byte among them. */
    static List<Script> cuts(byte[] whole, Random random) {
        List<Script> cuts = new ArrayList<>();
        int gaps = Math.max(0, whole.length - 1);
        if (gaps <= 12) {
            for (int mask = 0; mask < 1 << gaps; mask++) {
                cuts.add(cut(whole, mask));
            }
            return cuts;
        }
        cuts.add(cut(whole, 1));
        cuts.add(Script.of());
        for (byte each : whole) {
            cuts.get(1).data(new byte[] {each});
        }
        for (int i = 0; i < 40; i++) {
            cuts.add(cutAtRandom(whole, random));
        }
        return cuts;
    }

    private static Script cut(byte[] whole, int mask) {
        Script script = new Script();
        int start = 0;
        for (int i = 1; i <= whole.length; i++) {
            if (i == whole.length || (i <= Integer.SIZE && (mask >>> i - 1 & 1) != 0)) {
                script.data(Arrays.copyOfRange(whole, start, i));
                start = i;
            }
        }
        return script;
    }

    static Script cutAtRandom(byte[] whole, Random random) {
        Script script = new Script();
        int most = 1 << random.nextInt(1, 14);
        for (int start = 0; start < whole.length; ) {
            int end = Math.min(whole.length, start + random.nextInt(1, most + 1));
            script.data(Arrays.copyOfRange(whole, start, end));
            start = end;
        }
        return script;
    }

    /** All that a decoder makes of a stream, errors included, up to its end. */
    static List<String> decoded(Script script, Decoder<?> decoder) {
        FramedReader<?> reader = FramedReader.of(script, decoder);
        List<String> events = new ArrayList<>();
        while (true) {
            try {
                Object frame = reader.receiveOrNull();
                if (frame == null) {
                    return events;
                }
                events.add(frame instanceof byte[] bytes ? text(bytes) : (String) frame);
            } catch (FrameException e) {
                events.add("! " + e.getMessage());
                if (!e.recoverable()) {
                    return events;
                }
            } catch (IOException e) {
                events.add("! " + e.getMessage());
                return events;
            }
        }
    }
}
