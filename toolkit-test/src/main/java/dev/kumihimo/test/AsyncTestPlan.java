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

    private static final int STEPS = 100; // what Strategy.pct reckons with, where no run before tells

    private final String name;
    private final AsyncTest asked;
    private final long[] regressions;
    private final @Nullable Duration budget;
    private final Duration timeout;
    private final @Nullable String replay;
    private final @Nullable Replay replayed; // of the one run
    private final @Nullable Long given;
    private final long seed;
    private final long data; // of orders without a seed, and of the one that others go by

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
        replayed = replay == null ? null : new Replay(replay);
        given = replay == null ? Seeds.given() : null;
        long own = asked.seed() != 0 ? asked.seed() : own(uniqueId);
        boolean anew = asked.seed() == 0 && Seeds.isRandom();
        seed = given != null ? given : anew ? Seeds.fresh() : own;
        // how far priorities reach is measured with these data: a seed alone must have that again
        data = asked.strategy() == ScheduleStrategy.PCT || asked.strategy() == ScheduleStrategy.PORTFOLIO ? own : seed;
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

    /** {@return how files with its traces are called} */
    String name() {
        return name;
    }

    /**
     * {@return whether it asks for one run, for which JUnit's own instance and arguments do} A seed or a record that is given
     * makes no difference: it is run on what the run that failed had been run on.
     */
    boolean isOneRun() {
        return regressions.length == 0
                && (asked.strategy() == ScheduleStrategy.FIFO
                        || asked.strategy() != ScheduleStrategy.PREEMPTIONS
                                && asked.schedules() == 1
                                && budget == null);
    }

    /** {@return the runtime of the one run} */
    TestRuntime oneRuntime() {
        TestRuntimeBuilder builder = settings(TestRuntime.builder(), seed);
        if (replayed != null) {
            builder.strategy(replayed, "order: the replayed one");
        } else if (asked.strategy() == ScheduleStrategy.PCT) {
            builder.strategy(Strategy.pct(seed, asked.depth(), STEPS), Seeds.pct(seed, asked.depth(), STEPS));
        } else if (given != null || asked.strategy() != ScheduleStrategy.FIFO) {
            builder.seed(seed);
        }
        return builder.build();
    }

    /** Fails if the one run, which has not failed, was to be a replay and left some of it undone. */
    void ensureReplayed() {
        if (replayed != null) {
            replayed.ensureAllAsked();
        }
    }

    private TestRuntimeBuilder settings(TestRuntimeBuilder builder, long data) {
        return builder.limit(timeout)
                .leaks(asked.leaks())
                .externalIo(asked.externalIo())
                .jdkTimers(asked.jdkTimers())
                .startPaused(asked.startPaused())
                .data(data);
    }

    /** {@return the exploration: the one place that knows which strategies there are} */
    Explore exploration() {
        int schedules = asked.schedules() > 1 || budget == null ? asked.schedules() : Explore.UNBOUNDED;
        int besideFirst = schedules == Explore.UNBOUNDED ? schedules : Math.max(1, schedules - 1);
        Explore explore = replay != null
                ? Explore.replay(replay)
                : switch (asked.strategy()) {
                    case FIFO -> Explore.fifo();
                    case RANDOM -> Explore.seeds(besideFirst).from(seed);
                    case PCT -> Explore.pct(besideFirst, asked.depth()).from(seed);
                    case PORTFOLIO -> Explore.portfolio(schedules).from(seed);
                    case PREEMPTIONS -> search();
                };
        if (budget != null) {
            explore.budget(budget);
        }
        return explore.regressions(regressions)
                .checkDeterminism(asked.startPaused())
                .named(name)
                .configure(builder -> settings(builder, data));
    }

    private Explore search() {
        if (given != null) {
            return Explore.fifo(); // which takes a seed: that of a regression
        }
        Explore all = Explore.preemptions(asked.preemptions());
        return asked.schedules() > 1 ? all.atMost(asked.schedules()) : all;
    }
}
