package dev.kumihimo.examples;

import java.time.Duration;

/** Numbers as Redis writes them: no plus sign, no leading zeros, no spaces, 64 bits; and times in these. */
final class RedisNumbers {
    private RedisNumbers() {}

    /** {@return the number that is written there} */
    static long parse(byte[] text) throws RedisError {
        boolean negative = text.length > 0 && text[0] == '-';
        int start = negative ? 1 : 0;
        if (text.length == start || text.length > 20 || (text[start] == '0' && text.length > 1)) {
            throw RedisError.noInteger();
        }
        long number = 0; // negative, whose range is the larger one
        for (int i = start; i < text.length; i++) {
            int digit = text[i] - '0';
            if (digit < 0 || digit > 9 || number < (Long.MIN_VALUE + digit) / 10) {
                throw RedisError.noInteger();
            }
            number = 10 * number - digit;
        }
        if (!negative && number == Long.MIN_VALUE) {
            throw RedisError.noInteger();
        }
        return negative ? number : -number;
    }

    /** {@return a time in seconds or milliseconds} One after whose end Redis could not count any more is refused. */
    static Duration time(RedisCommand command, byte[] text, boolean seconds) throws RedisError {
        long amount = parse(text);
        long milliseconds =
                seconds ? Math.max(Long.MIN_VALUE / 1000, Math.min(Long.MAX_VALUE / 1000, amount)) * 1000 : amount;
        if ((seconds && milliseconds / 1000 != amount) || milliseconds > Long.MAX_VALUE - System.currentTimeMillis()) {
            throw invalidTime(command);
        }
        return Duration.ofMillis(milliseconds);
    }

    /** {@return a time that is not over at once, as {@link #time} reads it} */
    static Duration positiveTime(RedisCommand command, byte[] text, boolean seconds) throws RedisError {
        Duration time = time(command, text, seconds);
        if (!time.isPositive()) {
            throw invalidTime(command);
        }
        return time;
    }

    private static RedisError invalidTime(RedisCommand command) {
        return new RedisError("ERR invalid expire time in '" + command.lowerCase() + "' command");
    }
}
