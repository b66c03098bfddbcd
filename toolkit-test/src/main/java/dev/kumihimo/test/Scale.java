package dev.kumihimo.test;

import org.jspecify.annotations.Nullable;

/** By how much long runs, as at night, are to do more than what the tests say. */
final class Scale {
    static final String SCHEDULES = "kumihimo.test.schedules";
    static final String BUDGET = "kumihimo.test.budget";

    private Scale() {}

    /** {@return a count, times what the property says} */
    static int times(int count, String property) {
        return (int)
                Math.min(Integer.MAX_VALUE, Math.ceil((double) count * factor(property, System.getProperty(property))));
    }

    /** {@return a time, times what the property says} */
    static long times(long nanos, String property) {
        return (long) Math.min(
                (double) (Long.MAX_VALUE / 2), (double) nanos * factor(property, System.getProperty(property)));
    }

    static double factor(String property, @Nullable String text) {
        if (text == null || text.isBlank()) {
            return 1;
        }
        String number = text.strip();
        try {
            double factor =
                    Double.parseDouble(number.endsWith("x") ? number.substring(0, number.length() - 1) : number);
            if (factor > 0 && factor <= 1_000_000) {
                return factor;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new IllegalArgumentException(
                property + "=" + text + " must be a number above 0 and up to 1,000,000, as in 10x");
    }
}
