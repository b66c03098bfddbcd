package dev.kumihimo.test;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where seeds come from: the system property, else the environment. */
final class Seeds {
    static final String PROPERTY = "kumihimo.test.seed";
    static final String VARIABLE = "KUMIHIMO_TEST_SEED";

    private Seeds() {}

    /** {@return the seed that the environment asks for, or null if it leaves it open} */
    static @Nullable Long given() {
        Long property = parse(PROPERTY, System.getProperty(PROPERTY));
        return property == null ? parse(VARIABLE, System.getenv(VARIABLE)) : property;
    }

    static @Nullable Long parse(String source, @Nullable String text) {
        if (text == null || text.isBlank() || text.strip().equals("random")) {
            return null;
        }
        String number = text.strip().toLowerCase(Locale.ROOT);
        try {
            return number.startsWith("0x") ? Long.parseUnsignedLong(number.substring(2), 16) : Long.parseLong(number);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    source + "=" + text + " must be a decimal number, 0x and a hexadecimal one, or random");
        }
    }

    /** {@return whether the environment asks for seeds that differ from run to run} */
    static boolean isRandom() {
        String text = System.getProperty(PROPERTY);
        return "random".equals(text == null || text.isBlank() ? System.getenv(VARIABLE) : text.strip());
    }

    /** {@return a seed that differs from run to run} */
    static long fresh() {
        return Rng.of(System.nanoTime()).nextLong();
    }

    /** {@return how a random order is called, and replayed} */
    static String order(long seed) {
        return "seed " + show(seed) + ": replay with TestRuntime.seeded(" + show(seed) + "L), @SeedSource(" + show(seed)
                + "L) or -D" + PROPERTY + "=" + show(seed);
    }

    static String show(long seed) {
        return "0x" + Long.toHexString(seed);
    }
}
