package dev.kumihimo.test;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** How a {@link Record} is written as text: its numbers at seven bits a byte, deflated, in the letters of base64url. */
final class Traces {
    /** Begins each, and changes with the form. */
    static final String PREFIX = "k2:";

    private static final int MOST_NUMBERS = 1 << 26;

    private Traces() {}

    static String encode(int[] numbers, int length) {
        ByteArrayOutputStream plain = new ByteArrayOutputStream(length + 16);
        for (int i = 0; i < length; i++) {
            int rest = numbers[i];
            while ((rest & ~0x7f) != 0) {
                plain.write(rest & 0x7f | 0x80);
                rest >>>= 7;
            }
            plain.write(rest);
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
     * {@return the choices of a trace}
     *
     * @throws IllegalArgumentException if it is none, or of another version
     */
    static List<Record.Choice> decode(String trace) {
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
            return Record.read(numbers, length);
        } catch (DataFormatException | IllegalArgumentException e) {
            throw new IllegalArgumentException("trace=" + trace + " is damaged: " + e.getMessage(), e);
        }
    }
}
