package dev.kumihimo.test;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * How a {@link Record} is written as text: the seed of its data, lower half first, and its numbers, at seven bits a byte,
 * deflated, in the letters of base64url.
 */
final class Traces {
    /** Begins each, and changes with the form. */
    static final String PREFIX = "k3:";

    private static final int MOST_NUMBERS = 1 << 26;
    private static final int OF_SEED = 2;

    private Traces() {}

    /** What a trace tells: the choices, and the seed of the data. */
    record Trace(long data, List<Record.Choice> choices) {}

    private static void write(int number, ByteArrayOutputStream to) {
        int rest = number;
        while ((rest & ~0x7f) != 0) {
            to.write(rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        to.write(rest);
    }

    static String encode(long data, int[] numbers, int length) {
        ByteArrayOutputStream plain = new ByteArrayOutputStream(length + 16);
        write((int) data, plain);
        write((int) (data >>> 32), plain);
        for (int i = 0; i < length; i++) {
            write(numbers[i], plain);
        }
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
        try {
            deflater.setInput(plain.toByteArray());
            deflater.finish();
            ByteArrayOutputStream packed = new ByteArrayOutputStream();
            byte[] buffer = new byte[4096];
            while (!deflater.finished()) {
                packed.write(buffer, 0, deflater.deflate(buffer));
            }
            return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(packed.toByteArray());
        } finally {
            deflater.end();
        }
    }

    /**
     * {@return what a trace tells}
     *
     * @throws IllegalArgumentException if it is none, or of another version
     */
    static Trace decode(String trace) {
        if (!trace.startsWith(PREFIX)) {
            throw new IllegalArgumentException("trace=" + trace + " must begin with " + PREFIX
                    + ", else it is none or of another version of the kit");
        }
        try {
            byte[] packed = Base64.getUrlDecoder().decode(trace.substring(PREFIX.length()));
            int[] numbers = new int[256];
            int length = 0;
            int shift = 0;
            int number = 0;
            Inflater inflater = new Inflater();
            try {
                inflater.setInput(packed);
                byte[] buffer = new byte[4096];
                while (!inflater.finished()) {
                    int count = inflater.inflate(buffer);
                    if (count == 0 && !inflater.finished() || length > MOST_NUMBERS) {
                        throw new IllegalArgumentException("it is cut off");
                    }
                    for (int i = 0; i < count; i++) {
                        number |= (buffer[i] & 0x7f) << shift;
                        shift += 7;
                        if (buffer[i] >= 0) {
                            if (length == numbers.length) {
                                numbers = Arrays.copyOf(numbers, 2 * length);
                            }
                            numbers[length++] = number;
                            number = 0;
                            shift = 0;
                        }
                    }
                }
            } finally {
                inflater.end();
            }
            if (length < OF_SEED) {
                throw new IllegalArgumentException("it is cut off");
            }
            long data = numbers[0] & 0xffff_ffffL | (long) numbers[1] << 32;
            return new Trace(data, Record.read(Arrays.copyOfRange(numbers, OF_SEED, length), length - OF_SEED));
        } catch (DataFormatException | IllegalArgumentException e) {
            throw new IllegalArgumentException("trace=" + trace + " is damaged: " + e.getMessage(), e);
        }
    }
}
