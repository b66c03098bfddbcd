package dev.kumihimo.runtime;

import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The settled options of one runtime. For each, the first source that says something decides: the builder, the system
 * property, the environment variable, the default. The variable is the property in upper case with underscores, as in
 * {@code kumihimo.worker.threads} and {@code KUMIHIMO_WORKER_THREADS}.
 *
 * @param workerThreads how many carrier threads run tasks, 1 to 32,767; {@code kumihimo.worker.threads}, or else the
 *     variable {@code TOKIO_WORKER_THREADS}; by default the available processors
 * @param maxBlockingThreads how many threads the blocking pool has at most, 1 to 1,000,000;
 *     {@code kumihimo.max.blocking.threads}; by default 512
 * @param maxBlockingQueue how many blocking jobs may wait for a thread, 0 or more; {@code kumihimo.max.blocking.queue}; by
 *     default {@link Integer#MAX_VALUE}, which stands for no bound
 * @param threadKeepAliveNanos after how long an idle thread of the blocking pool ends, in nanoseconds, more than 0;
 *     {@code kumihimo.thread.keep.alive}; by default 10 seconds
 * @param threadName what the names of the runtime's threads begin with, not blank; {@code kumihimo.thread.name}; by
 *     default {@code kumihimo}, as in {@code kumihimo-carrier-1} and {@code kumihimo-blocking-1}
 * @param name the runtime's name, not blank; {@code kumihimo.name}; by default {@code kumihimo-1} and so on
 * @param instantSource the wall time; by the builder only, by default the system's
 * @param shutdownTimeoutNanos how long closing the runtime waits for its tasks, in nanoseconds, 0 or more;
 *     {@code kumihimo.shutdown.timeout}; by default 10 seconds
 * @param eventInterval after how many runs of tasks a carrier looks for outside work and events, 1 or more;
 *     {@code kumihimo.event.interval}; by default 61
 */
record RuntimeOptions(
        int workerThreads,
        int maxBlockingThreads,
        int maxBlockingQueue,
        long threadKeepAliveNanos,
        String threadName,
        String name,
        InstantSource instantSource,
        long shutdownTimeoutNanos,
        int eventInterval) {

    private static final AtomicInteger UNNAMED = new AtomicInteger();

    private static final Option<Integer> WORKER_THREADS =
            Option.integer("workerThreads", "kumihimo.worker.threads", 32_767).orVariable("TOKIO_WORKER_THREADS");
    private static final Option<Integer> MAX_BLOCKING_THREADS =
            Option.integer("maxBlockingThreads", "kumihimo.max.blocking.threads", 1_000_000);
    private static final Option<Integer> MAX_BLOCKING_QUEUE =
            Option.integer("maxBlockingQueue", "kumihimo.max.blocking.queue", 0, Integer.MAX_VALUE);
    private static final Option<Duration> THREAD_KEEP_ALIVE = Option.duration(
            "threadKeepAlive", "kumihimo.thread.keep.alive", "longer than 0", d -> d.compareTo(Duration.ZERO) > 0);
    private static final Option<String> THREAD_NAME = Option.text("threadName", "kumihimo.thread.name");
    private static final Option<String> NAME = Option.text("name", "kumihimo.name");
    private static final Option<Duration> SHUTDOWN_TIMEOUT = Option.duration(
            "shutdownTimeout", "kumihimo.shutdown.timeout", "0 or longer", d -> d.compareTo(Duration.ZERO) >= 0);
    private static final Option<Integer> EVENT_INTERVAL =
            Option.integer("eventInterval", "kumihimo.event.interval", Integer.MAX_VALUE);

    /** What the program itself asks for; null is left to the other sources. */
    static final class Builder {
        @Nullable
        Integer workerThreads;

        @Nullable
        Integer maxBlockingThreads;

        @Nullable
        Integer maxBlockingQueue;

        @Nullable
        Duration threadKeepAlive;

        @Nullable
        String threadName;

        @Nullable
        String name;

        InstantSource instantSource = InstantSource.system();

        @Nullable
        Duration shutdownTimeout;

        @Nullable
        Integer eventInterval;

        /**
         * Settles every option. Durations longer than {@link Long#MAX_VALUE} nanoseconds (292 years) count as that.
         *
         * @param environment the value of an environment variable, as {@link System#getenv(String)}
         * @param properties the value of a system property, as {@link System#getProperty(String)}
         * @throws IllegalArgumentException if a value that would decide is invalid; the message names the option,
         *     property or variable, the value, and what is allowed
         */
        RuntimeOptions resolve(
                Function<String, @Nullable String> environment, Function<String, @Nullable String> properties) {
            Sources sources = new Sources(environment, properties);
            return new RuntimeOptions(
                    WORKER_THREADS.resolve(workerThreads, sources, RuntimeOptions::defaultWorkerThreads),
                    MAX_BLOCKING_THREADS.resolve(maxBlockingThreads, sources, () -> 512),
                    MAX_BLOCKING_QUEUE.resolve(maxBlockingQueue, sources, () -> Integer.MAX_VALUE),
                    nanos(THREAD_KEEP_ALIVE.resolve(threadKeepAlive, sources, () -> Duration.ofSeconds(10))),
                    THREAD_NAME.resolve(threadName, sources, () -> "kumihimo"),
                    NAME.resolve(name, sources, () -> "kumihimo-" + UNNAMED.incrementAndGet()),
                    instantSource,
                    nanos(SHUTDOWN_TIMEOUT.resolve(shutdownTimeout, sources, () -> Duration.ofSeconds(10))),
                    EVENT_INTERVAL.resolve(eventInterval, sources, () -> 61));
        }
    }

    private static int defaultWorkerThreads() {
        return Math.min(Runtime.getRuntime().availableProcessors(), 32_767);
    }

    private static long nanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration); // clamps, which Duration.toNanos() does not
    }

    private record Sources(
            Function<String, @Nullable String> environment, Function<String, @Nullable String> properties) {}

    /**
     * One option: what it is called, and what it may be.
     *
     * @param allowed ends the sentence "it must be ..."
     * @param parse throws {@link IllegalArgumentException} or {@link DateTimeException} at what it cannot read
     */
    private record Option<T>(
            String name,
            String property,
            List<String> variables,
            String allowed,
            Predicate<T> valid,
            Function<String, T> parse) {

        private static final Pattern SHORT_DURATION = Pattern.compile("(\\d+)(ms|s|m|h)");

        private static Option<Integer> integer(String name, String property, int max) {
            return integer(name, property, 1, max);
        }

        private static Option<Integer> integer(String name, String property, int min, int max) {
            String allowed = "an integer from " + min + " to " + max;
            return of(name, property, allowed, i -> i >= min && i <= max, text -> Integer.valueOf(text.strip()));
        }

        private static Option<Duration> duration(
                String name, String property, String bound, Predicate<Duration> valid) {
            String allowed = "a duration " + bound + ", such as \"10s\", \"500ms\", \"2m\", \"1h\" or \"PT10S\"";
            return of(name, property, allowed, valid, text -> parseDuration(text.strip()));
        }

        private static Option<String> text(String name, String property) {
            return of(name, property, "a text that is not blank", text -> !text.isBlank(), Function.identity());
        }

        private static <T> Option<T> of(
                String name, String property, String allowed, Predicate<T> valid, Function<String, T> parse) {
            String variable = property.toUpperCase(Locale.ROOT).replace('.', '_');
            return new Option<>(name, property, List.of(variable), allowed, valid, parse);
        }

        private Option<T> orVariable(String variable) {
            return new Option<>(name, property, List.of(variables.get(0), variable), allowed, valid, parse);
        }

        private T resolve(@Nullable T set, Sources sources, Supplier<T> byDefault) {
            if (set != null) {
                if (!valid.test(set)) {
                    throw refusal(name, set);
                }
                return set;
            }
            String text = sources.properties.apply(property);
            if (text != null) {
                return parse(text, "system property " + property);
            }
            for (String variable : variables) {
                text = sources.environment.apply(variable);
                if (text != null) {
                    return parse(text, "environment variable " + variable);
                }
            }
            return byDefault.get();
        }

        private T parse(String text, String source) {
            try {
                T value = parse.apply(text);
                if (valid.test(value)) {
                    return value;
                }
            } catch (IllegalArgumentException | DateTimeException e) {
                // refused below, in the option's own words
            }
            throw refusal(source, text);
        }

        private IllegalArgumentException refusal(String source, Object value) {
            return new IllegalArgumentException(source + " must be " + allowed + ", but is \"" + value + "\"");
        }

        private static Duration parseDuration(String text) {
            Matcher matcher = SHORT_DURATION.matcher(text);
            if (!matcher.matches()) {
                return Duration.parse(text);
            }
            BigInteger amount = new BigInteger(matcher.group(1)).min(BigInteger.valueOf(Long.MAX_VALUE));
            TimeUnit unit = switch (matcher.group(2)) {
                case "ms" -> TimeUnit.MILLISECONDS;
                case "s" -> TimeUnit.SECONDS;
                case "m" -> TimeUnit.MINUTES;
                default -> TimeUnit.HOURS;
            };
            return Duration.ofNanos(unit.toNanos(amount.longValue())); // clamps
        }
    }
}
