package dev.kumihimo.test;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.platform.commons.support.AnnotationSupport;

/** What an {@link AsyncTest} asks for, checked, and the seeds that it comes to. */
final class AsyncTestPlan {
    private static final Pattern TIME = Pattern.compile("(\\d{1,9})\\s*(ms|s|m|h)");

    private final String name;
    private final AsyncTest asked;
    private final long[] regressions;
    private final @Nullable Duration budget;
    private final Duration timeout;
    private final @Nullable String replay;
    private final @Nullable Long given;
    private final long seed;

    /**
     * Reads the annotations of a test method.
     *
     * @throws IllegalArgumentException if one of their values makes no sense; the message names it
     */
    AsyncTestPlan(Method method, String uniqueId) {
        name = method.getDeclaringClass().getSimpleName() + "." + method.getName();
        asked = AnnotationSupport.findAnnotation(method, AsyncTest.class)
                .orElseThrow(() -> new IllegalArgumentException(method + " has no @AsyncTest"));
        regressions = AnnotationSupport.findAnnotation(method, SeedSource.class)
                .map(SeedSource::value)
                .orElse(new long[0]);
        atLeast("schedules", asked.schedules(), 1);
        atLeast("preemptions", asked.preemptions(), 0);
        atLeast("depth", asked.depth(), 1);
        budget = asked.budget().isBlank() ? null : time("budget", asked.budget());
        timeout = time("timeout", asked.timeout());
        replay = asked.replay().isEmpty() ? Replays.given() : asked.replay();
        if (replay != null) {
            Strategy.replay(replay); // fails if it is none
        }
        given = replay == null ? Seeds.given() : null;
        seed = given != null
                ? given
                : asked.seed() != 0 ? asked.seed() : Seeds.isRandom() ? Seeds.fresh() : own(uniqueId);
    }

    private static void atLeast(String member, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(member + "=" + value + " must be at least " + least);
        }
    }

    static Duration time(String member, String text) {
        Matcher matcher = TIME.matcher(text.strip());
        long number = matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
        if (number == 0) {
            throw new IllegalArgumentException(member + "=\"" + text
                    + "\" must be a whole number above 0 and ms, s, m or h, as \"500ms\" or \"3s\"");
        }
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }

    /** {@return a seed that is the same for a test wherever it runs: FNV-1a over its id, and never 0} */
    private static long own(String uniqueId) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < uniqueId.length(); i++) {
            hash = (hash ^ uniqueId.charAt(i)) * 0x100000001b3L;
        }
        long mixed = Rng.of(hash).nextLong() >>> 16; // short enough to be typed
        return mixed == 0 ? 1 : mixed;
    }

    /** {@return whether it is one run, for which JUnit's own instance and arguments do} */
    boolean isOneRun() {
        if (replay != null || given != null) {
            return replay != null || !takesSeedsInSeveralWays();
        }
        return asked.strategy() == ScheduleStrategy.FIFO && regressions.length == 0
                || asked.strategy() != ScheduleStrategy.PREEMPTIONS && !isOfSeveral() && regressions.length == 0;
    }

    private boolean isOfSeveral() {
        return asked.schedules() > 1 || budget != null;
    }

    /** {@return whether a seed alone does not say which schedule is meant: then the exploration runs those that it may be} */
    private boolean takesSeedsInSeveralWays() {
        return isOfSeveral()
                && (asked.strategy() == ScheduleStrategy.PCT || asked.strategy() == ScheduleStrategy.PORTFOLIO);
    }

    /** {@return the runtime of the one run} */
    TestRuntime oneRuntime() {
        TestRuntimeBuilder builder = settings(TestRuntime.builder());
        if (replay != null) {
            builder.strategy(Strategy.replay(replay), "order: replay of " + replay);
        } else if (given != null || asked.strategy() != ScheduleStrategy.FIFO) {
            builder.seed(seed);
        }
        return builder.build();
    }

    private TestRuntimeBuilder settings(TestRuntimeBuilder builder) {
        return builder.limit(timeout)
                .leaks(asked.leaks())
                .externalIo(asked.externalIo())
                .jdkTimers(asked.jdkTimers())
                .startPaused(asked.startPaused())
                .data(seed);
    }

    /** {@return the exploration: the one place that knows which strategies there are} */
    Explore exploration() {
        int schedules = asked.schedules() > 1 || budget == null ? asked.schedules() : Integer.MAX_VALUE - 1;
        Explore explore = switch (asked.strategy()) {
            case FIFO -> Explore.seeds(1).atMost(1);
            case RANDOM -> Explore.seeds(schedules).from(seed);
            case PCT -> Explore.pct(schedules, asked.depth()).from(seed);
            case PORTFOLIO -> Explore.portfolio(schedules).from(seed);
            case PREEMPTIONS -> {
                Explore all = Explore.preemptions(asked.preemptions());
                yield asked.schedules() > 1 ? all.atMost(schedules) : all;
            }
        };
        if (budget != null) {
            explore.budget(budget);
        }
        return explore.regressions(regressions)
                .checkDeterminism(asked.startPaused())
                .named(name)
                .configure(this::settings);
    }
}
