package dev.kumihimo.test;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where seeds come from: the system property, else the environment. */
final class Seeds {
    static final String PROPERTY = "kumihimo.test.seed";
    static final String VARIABLE = "KUMIHIMO_TEST_SEED";

    private Seeds() {}

    private static @Nullable String property() {
        String text = System.getProperty(PROPERTY);
        return text == null || text.isBlank() ? null : text;
    }

    /** {@return the seed that the environment asks for, or null if it leaves it open} */
    static @Nullable Long given() {
        String property = property();
        return property == null ? parse(VARIABLE, System.getenv(VARIABLE)) : parse(PROPERTY, property);
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
        String property = property();
        String text = property == null ? System.getenv(VARIABLE) : property;
        return text != null && text.strip().equals("random");
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

    /** {@return how an order by priorities is called, and replayed} */
    static String pct(long seed, int depth, int steps) {
        return "seed " + show(seed) + ": replay with " + Strategy.pct(seed, depth, steps) + " or -D" + PROPERTY + "="
                + show(seed);
    }

    static String show(long seed) {
        return "0x" + Long.toHexString(seed);
    }
}
