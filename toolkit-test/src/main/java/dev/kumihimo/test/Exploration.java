package dev.kumihimo.test;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/*
 * All schedules are run on one carrier, so that none is handed from thread to thread; the caller watches. It gives up on a
 * carrier that a task holds, and passes its interrupt on.
 * Fields: current, stopping: written by one of the two threads, read by the other. The rest is the carrier's.
 */

/** One run of an {@link Explore}. */
final class Exploration {
    private static final int CHECKED_TWICE = 10;
    private static final int MOST_RUNS_OF_ONE = 4;
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Explore settings;
    private final Plan plan;
    private final Trial trial;
    private final Set<Long> hashes = new HashSet<>();
    private final TreeMap<String, Integer> families = new TreeMap<>();
    private int schedules;
    private int attempts;
    private int checked;
    private int lastChoices; // of the last run: the first one in a JVM may have more, or fewer
    private @Nullable Long seed; // of the attempt under way, also where it is run again

    private volatile @Nullable TestRuntime current;
    private volatile boolean stopping;

    Exploration(Explore settings, Plan plan, Trial trial) {
        this.settings = settings;
        this.plan = plan;
        this.trial = trial;
    }

    Explore.Result run() {
        TestRuntime.ensureNotDriven();
        if (TestCarrier.current() != null) {
            return explore();
        }
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        TestCarrier.Running<Explore.Result> running = TestCarrier.submit(() -> {
            Thread carrier = Thread.currentThread();
            ClassLoader before = carrier.getContextClassLoader();
            carrier.setContextClassLoader(loader);
            try {
                return explore();
            } finally {
                carrier.setContextClassLoader(before);
            }
        });
        return watch(running);
    }

    /* ---------------- The caller's side -------------- */

    private Explore.Result watch(TestCarrier.Running<Explore.Result> running) {
        PinWatch pins = new PinWatch(running.carrier());
        while (true) {
            try {
                return running.result().get(PinWatch.LOOK_NANOS, TimeUnit.NANOSECONDS);
            } catch (ExecutionException e) {
                throw rethrown(Objects.requireNonNull(e.getCause()));
            } catch (TimeoutException e) {
                TestRuntime test = current;
                if (test != null && test.isOverdue()) {
                    stopping = true;
                    throw test.giveUp(
                            "stuck: a task holds the carrier", running.carrier().stack(), null);
                }
                look(pins, test);
            } catch (InterruptedException e) {
                throw interrupted(running, e);
            }
        }
    }

    private void look(PinWatch pins, @Nullable TestRuntime test) {
        try {
            pins.look();
        } catch (PinWatch.PinnedException e) {
            stopping = true;
            throw test == null
                    ? new ScheduleError(String.valueOf(e.getMessage()))
                    : test.giveUp(e.getMessage(), "", null);
        }
    }

    private static Error rethrown(Throwable cause) {
        if (cause instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        return (Error) cause; // it throws nothing checked
    }

    private ScheduleError interrupted(TestCarrier.Running<Explore.Result> running, InterruptedException cause) {
        stopping = true;
        TestRuntime test = current;
        String stack = running.carrier().stack();
        running.carrier().interrupt(); // should the trial wait there itself
        TestRuntime told = null;
        boolean ended = false;
        for (Patience patience = new Patience(GRACE_NANOS, Outside.NAP_NANOS); !ended && patience.left() > 0; ) {
            TestRuntime now = current; // one may just begin
            if (now != null && now != told) {
                now.interruptDriving();
                told = now;
            }
            TestCarrier.awaitEnd(running, Outside.NAP_NANOS);
            ended = running.result().isDone();
        }
        TestRuntime left = current;
        if (left != null && !ended) {
            left.giveUp("interrupted", stack, cause);
        }
        Thread.currentThread().interrupt();
        return new ScheduleError(
                "interrupted while it drove" + (test == null ? "" : "; " + test.order()) + stack, cause);
    }

    /* ---------------- The carrier's side -------------- */

    private Explore.Result explore() {
        long begin = System.nanoTime();
        long budget = settings.budgetNanos();
        for (Plan.Attempt attempt; (attempt = plan.next()) != null; ) {
            attempt(attempt);
            if (System.nanoTime() - begin >= budget && !plan.hasRegressionsLeft()) {
                break;
            }
        }
        return settings.result(schedules, hashes.size(), plan.exhausted(), families);
    }

    private void attempt(Plan.Attempt attempt) {
        attempts++;
        seed = attempt.seed();
        Strategy strategy = attempt.strategy().get();
        Outcome outcome = once(strategy, attempt.order(), null, Long.MAX_VALUE);
        if (outcome.isDivergence()
                && strategy instanceof Preemptions.Path) { // classes that are initialised have no switches
            strategy = attempt.strategy().get();
            outcome = once(strategy, attempt.order(), null, Long.MAX_VALUE);
        }
        succeeded(attempt, outcome);
        boolean given = false;
        if (strategy instanceof Replay replay) {
            given = true;
            replay.ensureAllAsked();
        }
        if (settings.checksDeterminism() && checked < CHECKED_TWICE && !given) {
            checked++;
            strategy = again(attempt, outcome, strategy);
        }
        if (attempts == 1) {
            plan.steps(lastChoices);
        }
        attempt.ran().accept(strategy);
        if (attempt.counts()) {
            schedules++;
            hashes.add(outcome.hash());
        }
        families.merge(attempt.family(), 1, Integer::sum);
    }

    private void succeeded(Plan.Attempt attempt, Outcome outcome) {
        Throwable failure = outcome.failure();
        if (failure != null) {
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            String which = settings.which(attempt, schedules + 1);
            throw new ScheduleError(which + " failed: " + failure + explained(outcome, which), failure);
        }
    }

    /**
     * Runs a schedule a second time; if that differs, a third and a fourth time, for what is done only once in a JVM: a class that is
     * initialised on the way leads elsewhere, where another may be.
     */
    private Strategy again(Plan.Attempt attempt, Outcome first, Strategy ran) {
        Strategy strategy = ran;
        Outcome before = first;
        for (int run = 2; ; run++) {
            Strategy next = attempt.strategy().get();
            Outcome outcome = once(next, attempt.order(), null, Long.MAX_VALUE);
            succeeded(attempt, outcome);
            if (before.hash() == outcome.hash()) {
                return strategy;
            }
            if (run == MOST_RUNS_OF_ONE) {
                throw new ScheduleError("not deterministic: " + settings.which(attempt, schedules + 1)
                        + " was run again, and went another way" + difference(before, outcome)
                        + System.lineSeparator()
                        + "  usual causes: static state, the order of identityHashCode or of a Set.of,"
                        + " ThreadLocalRandom, the wall clock, wakes from outside ("
                        + (before.outside() + outcome.outside())
                        + " of these); Explore.checkDeterminism(false) does without"
                        + System.lineSeparator() + "  " + outcome.replay());
            }
            before = outcome;
            strategy = next;
        }
    }

    private static String difference(Outcome one, Outcome other) {
        List<Record.Choice> before = one.record().list();
        List<Record.Choice> after = other.record().list();
        for (int i = 0; i < Math.min(before.size(), after.size()); i++) {
            if (!before.get(i).equals(after.get(i))) {
                return ": at choice " + (i + 1) + " there was " + before.get(i) + ", and then " + after.get(i);
            }
        }
        return before.size() == after.size()
                ? ", with the same choices, where there was none"
                : ", of " + after.size() + " choices instead of " + before.size();
    }

    private Outcome once(Strategy strategy, String order, @Nullable Interleaving watch, long realNanos) {
        if (stopping) {
            throw new ScheduleError("interrupted");
        }
        TestRuntimeBuilder builder = settings.builder();
        if (realNanos < builder.limitNanos()) {
            builder.limit(Duration.ofNanos(Math.max(1, realNanos)));
        }
        if (seed != null) {
            builder.data(seed);
        }
        TestRuntime test = builder.strategy(strategy, order).build();
        test.watch(watch);
        current = test;
        Throwable failure = null;
        try {
            trial.run(test);
        } catch (InterruptedException e) { // of us, or the body has let it out
            failure = e;
        } catch (Throwable e) {
            failure = e;
        }
        Record record = test.record();
        if (failure != null) {
            record = record.copy(); // what its end adds is not of its making
        }
        int choices = record.choices();
        lastChoices = choices;
        String replay = failure == null ? "" : test.replay();
        test.watch(null);
        try {
            test.close();
        } catch (Throwable e) {
            if (failure == null) {
                failure = e;
                replay = test.replay();
            } else {
                failure.addSuppressed(e);
            }
        }
        current = null;
        return new Outcome(
                failure,
                test.traceHash(),
                choices,
                failure == null ? "" : record.trace(),
                record,
                replay,
                test.outsideWakes());
    }

    /* ---------------- What a failure tells -------------- */

    private String explained(Outcome failed, String which) {
        StringBuilder text = new StringBuilder();
        if (!String.valueOf(failed.failure()).contains(failed.replay())) {
            text.append(System.lineSeparator()).append("  ").append(failed.replay());
        }
        if (failed.isDivergence()) {
            return text.toString(); // its own trace is of no use
        }
        long time = settings.shrinkNanos();
        String trace = failed.trace();
        if (time > 0 && failed.canRepeat() && !stopping) {
            long end = System.nanoTime() + time;
            Shrinker.Shrunk shrunk = Shrinker.shrink(
                    (strategy, watch) -> once(strategy, "order: shrunk", watch, Math.max(1, time)),
                    failed,
                    runs -> stopping || System.nanoTime() - end >= 0);
            trace = shrunk.trace();
            text.append(System.lineSeparator()).append("  ").append(shrunk.summary());
            append(text, trace);
            text.append(Replays.write(settings.name(), trace, which + System.lineSeparator() + failed.replay()));
            text.append(shrunk.columns().isEmpty() ? "" : System.lineSeparator())
                    .append(shrunk.columns());
        } else {
            append(text, trace);
            text.append(Replays.write(settings.name(), trace, which + System.lineSeparator() + failed.replay()));
        }
        return text.toString();
    }

    private static void append(StringBuilder text, String trace) {
        text.append(System.lineSeparator());
        if (trace.length() > Report.LONGEST_TRACE) {
            text.append("  its trace has ")
                    .append(trace.length())
                    .append(" characters: -D")
                    .append(Replays.DIRECTORY)
                    .append("=DIR writes it to a file, for -D")
                    .append(Replays.PROPERTY)
                    .append("=FILE");
        } else {
            text.append("  replay with Explore.replay(\"")
                    .append(trace)
                    .append("\"), @AsyncTest(replay = the same) or -D")
                    .append(Replays.PROPERTY)
                    .append('=')
                    .append(trace);
        }
    }
}
