package dev.kumihimo.lincheck;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.StressOptions;

/*
 * Two ways of running, since each sees what the other cannot. Stress: real threads and timed waits, so that grants meet
 * timeouts; a wakeup that is lost only looks like a timeout there. Model checking: interleavings chosen one by one, with
 * waits that have no end of their own, so that a lost wakeup is a deadlock; time stands still there, and scenarios are
 * written by hand such that every wait has its counterpart. It assumes sequential consistency: for the rest there is jcstress.
 *
 * Neither misses an unpark that is left out: a parked thread runs on by itself in the model checker, and at its deadline in
 * stress, and finds that it was granted. And a call has no place in a queue until something else shows that it is there, a
 * tryRead that fails beside a reader say: who barges past a waiter that nobody could know of is no error.
 */

/** How the classes of this package are checked. */
final class Checks {
    /** The longest wait in a stress run: long enough to be met by a grant, short enough for many of them. */
    static final Duration PATIENCE = Duration.ofNanos(30_000);

    private static final int SCENARIOS = Integer.getInteger("kumihimo.lincheck.scenarios", 15);
    private static final int INVOCATIONS = Integer.getInteger("kumihimo.lincheck.invocations", 300);

    static {
        // The toolkit's classes are initialised here, and not in the middle of a schedule.
        Channel.unbounded().trySend(0);
        try {
            Channel.unbounded().receive(Duration.ofNanos(1));
        } catch (InterruptedException | TimeoutException expected) {
            // that was the point of it
        }
    }

    private Checks() {}

    /** {@return a run on real threads, of random calls} */
    static StressOptions stress(Class<? extends WaitingModel> model) {
        return configured(new StressOptions(), model)
                .iterations(SCENARIOS)
                .invocationsPerIteration(INVOCATIONS)
                .threads(3)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(2);
    }

    /** {@return a run that goes on until it finds something, within reason: for bugs that are there} */
    static StressOptions longStress(Class<? extends WaitingModel> model) {
        return stress(model).iterations(SCENARIOS * 40);
    }

    /** {@return a run of interleavings, of random calls} */
    static ModelCheckingOptions modelChecking(Class<? extends WaitingModel> model) {
        return configured(new ModelCheckingOptions(), model)
                .iterations(SCENARIOS / 2)
                .invocationsPerIteration(INVOCATIONS)
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(2);
    }

    /** {@return a run of interleavings, of given scenarios only} */
    static ModelCheckingOptions modelChecking(Class<? extends WaitingModel> model, List<ExecutionScenario> scenarios) {
        ModelCheckingOptions options =
                configured(new ModelCheckingOptions(), model).iterations(0).invocationsPerIteration(INVOCATIONS);
        scenarios.forEach(options::addCustomScenario);
        return options;
    }

    private static <O extends Options<O, ?>> O configured(O options, Class<? extends WaitingModel> model) {
        return options.sequentialSpecification(model)
                .verifier(WaitingVerifier.class)
                .minimizeFailedScenario(false);
    }

    /** Runs a check that has to pass, and prints what it did. */
    static void accept(Options<?, ?> options, Class<?> subject) {
        long begun = System.nanoTime();
        try {
            options.check(subject);
        } finally {
            report(options, subject, begun);
        }
    }

    /** Runs a check that has to find a planted bug, and prints how long that took. */
    static AbstractThrowableAssert<?, ? extends Throwable> reject(Options<?, ?> options, Class<?> subject) {
        long begun = System.nanoTime();
        try {
            return assertThatThrownBy(() -> options.check(subject)).isInstanceOf(LincheckAssertionError.class);
        } finally {
            report(options, subject, begun);
        }
    }

    private static void report(Options<?, ?> options, Class<?> subject, long begun) {
        System.out.printf(
                "%s, %s: %s, %.1f s%n",
                subject.getSimpleName(),
                options instanceof StressOptions ? "stress" : "model checking",
                WaitingVerifier.figures(),
                (System.nanoTime() - begun) / 1e9);
    }

    /** {@return a scenario of these threads, each a list of calls} */
    @SafeVarargs
    static ExecutionScenario scenario(List<Actor>... threads) {
        List<List<Actor>> parallel = new ArrayList<>();
        for (List<Actor> thread : threads) {
            parallel.add(thread);
        }
        return new ExecutionScenario(List.of(), parallel, List.of(), null);
    }

    /** {@return a call of a subject's public method} */
    static Actor call(Class<?> subject, String operation, Object... arguments) {
        for (Method method : subject.getMethods()) {
            if (method.getName().equals(operation) && method.getParameterCount() == arguments.length) {
                return new Actor(method, List.of(arguments));
            }
        }
        throw new IllegalArgumentException(subject + " has no " + operation);
    }
}
