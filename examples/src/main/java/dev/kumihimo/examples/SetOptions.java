package dev.kumihimo.examples;

import dev.kumihimo.examples.RedisStore.Condition;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What follows key and value in a {@code SET}. */
record SetOptions(
        Condition condition,
        boolean get,
        boolean keepTimeToLive,
        @Nullable Duration timeToLive) {

    /** {@return the options of a request} Those that exclude each other are refused. */
    static SetOptions parse(byte[][] request) throws RedisError {
        Condition condition = Condition.ALWAYS;
        boolean get = false;
        boolean keep = false;
        String unit = null;
        byte[] time = null;
        for (int i = 3; i < request.length; i++) {
            String option = RedisCommand.word(request[i]);
            switch (option) {
                case "NX", "XX" -> {
                    Condition asked = option.equals("NX") ? Condition.IF_ABSENT : Condition.IF_PRESENT;
                    ensureSyntax(condition == Condition.ALWAYS || condition == asked);
                    condition = asked;
                }
                case "GET" -> get = true;
                case "KEEPTTL" -> {
                    ensureSyntax(unit == null);
                    keep = true;
                }
                case "EX", "PX" -> {
                    ensureSyntax(!keep && (unit == null || unit.equals(option)) && i + 1 < request.length);
                    unit = option;
                    time = request[++i];
                }
                default -> throw RedisError.syntax();
            }
        }
        Duration timeToLive =
                time == null ? null : RedisNumbers.positiveTime(RedisCommand.SET, time, "EX".equals(unit));
        return new SetOptions(condition, get, keep, timeToLive);
    }

    private static void ensureSyntax(boolean correct) throws RedisError {
        if (!correct) {
            throw RedisError.syntax();
        }
    }
}
