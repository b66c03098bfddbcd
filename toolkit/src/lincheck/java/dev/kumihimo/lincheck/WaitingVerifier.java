package dev.kumihimo.lincheck;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionResult;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.kotlinx.lincheck.execution.ResultWithClock;
import org.jetbrains.kotlinx.lincheck.util.ExceptionResult;
import org.jetbrains.kotlinx.lincheck.util.LincheckResult;
import org.jetbrains.kotlinx.lincheck.util.ValueResult;
import org.jetbrains.lincheck.datastructures.verifier.CachedVerifier;

/*
 * Algorithm: depth-first search over the orders of steps that keep to each thread's program and to what was seen to happen
 * before, after the dual data structures of Scherer and Scott: a call that waits has two steps, to begin and to complete,
 * and the second is another call's doing. A call that timed out has two as well, to begin and to give up; one that could
 * have completed at once must not have timed out. Lincheck's own verifier knows waiting only in Kotlin's suspend functions.
 *
 * Cost: exponential in the calls of a scenario, of which there are up to a dozen. Equal results are looked up, not searched.
 */

/** Decides whether the results of a scenario could have come from a {@link WaitingModel}, used step by step. */
public final class WaitingVerifier extends CachedVerifier {
    private static final AtomicLong INVOCATIONS = new AtomicLong();
    private static final AtomicLong SCENARIOS = new AtomicLong();
    private static final AtomicLong WAITED = new AtomicLong();

    private final WaitingModel initial;
    private ExecutionScenario last;

    /**
     * Creates a verifier; called by Lincheck.
     *
     * @param model the class of the model
     */
    public WaitingVerifier(Class<?> model) throws ReflectiveOperationException {
        initial = (WaitingModel) model.getDeclaredConstructor().newInstance();
    }

    /** {@return what was verified since the last call} */
    static String figures() {
        return SCENARIOS.getAndSet(0) + " scenarios, " + INVOCATIONS.getAndSet(0) + " invocations, "
                + WAITED.getAndSet(0) + " calls timed out";
    }

    @Override
    public boolean verifyResults(ExecutionScenario scenario, ExecutionResult results) {
        if (scenario != last) {
            last = scenario;
            SCENARIOS.incrementAndGet();
        }
        INVOCATIONS.incrementAndGet();
        for (List<ResultWithClock> thread : results.getParallelResultsWithClock()) {
            for (ResultWithClock result : thread) {
                if (timedOut(observed(result.getResult()))) {
                    WAITED.incrementAndGet();
                }
            }
        }
        return super.verifyResults(scenario, results);
    }

    @Override
    public boolean verifyResultsImpl(ExecutionScenario scenario, ExecutionResult results) {
        WaitingModel model = replay(initial, scenario.getInitExecution(), results.getInitResults());
        return model != null && new Search(scenario, results).explains(model, new int[scenario.getNThreads()], 0);
    }

    /**
     * Runs calls that nothing is concurrent with. Lincheck makes them in the first thread.
     *
     * @return the model after them, or null if they do not explain the results; a choice shows in the result of its call
     */
    private static WaitingModel replay(WaitingModel model, List<Actor> calls, List<LincheckResult> results) {
        WaitingModel replayed = model;
        for (int i = 0; replayed != null && i < calls.size(); i++) {
            replayed = replay(replayed, calls.get(i), observed(results.get(i)));
        }
        return replayed;
    }

    private static WaitingModel replay(WaitingModel model, Actor call, Object observed) {
        for (int way = 0; way < ways(model, call); way++) {
            WaitingModel next = model.copy();
            Object begun = begin(next, 0, call, way);
            if (begun == WaitingModel.WAITS && timedOut(observed)) {
                next.giveUp(0);
                return next;
            }
            if (Objects.equals(begun, observed)) {
                return next;
            }
        }
        return null;
    }

    private static int ways(WaitingModel model, Actor call) {
        return model.ways(call.getMethod().getName());
    }

    private static Object begin(WaitingModel model, int ticket, Actor call, int way) {
        model.choose(way);
        return model.begin(ticket, call.getMethod().getName(), call.getArguments());
    }

    private static Object observed(LincheckResult result) {
        return switch (result) {
            case ValueResult value -> value.getValue();
            case ExceptionResult thrown -> thrown.getThrowable().getClass();
            default -> throw new IllegalArgumentException("a call has to return a value or to throw: " + result);
        };
    }

    private static boolean timedOut(Object observed) {
        return observed == TimeoutException.class;
    }

    /** One scenario's results. The state of a search: per thread the calls it has ended, and a bit if it waits in the next. */
    private static final class Search {
        private final ExecutionScenario scenario;
        private final List<List<Object>> observed = new ArrayList<>();
        private final List<List<ResultWithClock>> clocks;
        private final List<LincheckResult> after;

        Search(ExecutionScenario scenario, ExecutionResult results) {
            this.scenario = scenario;
            this.clocks = results.getParallelResultsWithClock();
            this.after = results.getPostResults();
            for (List<ResultWithClock> thread : clocks) {
                observed.add(thread.stream()
                        .map(result -> observed(result.getResult()))
                        .toList());
            }
        }

        boolean explains(WaitingModel model, int[] ended, int waiting) {
            boolean done = true;
            for (int thread = 0; thread < ended.length; thread++) {
                if (ended[thread] == observed.get(thread).size()) {
                    continue;
                }
                done = false;
                boolean explained = (waiting & 1 << thread) != 0
                        ? ends(model, ended, waiting, thread)
                        : mayBegin(ended, thread) && begins(model, ended, waiting, thread);
                if (explained) {
                    return true;
                }
            }
            return done && replay(model, scenario.getPostExecution(), after) != null;
        }

        /** Whether all calls have ended that were seen to end before the thread began its next. */
        private boolean mayBegin(int[] ended, int thread) {
            int[] before =
                    clocks.get(thread).get(ended[thread]).getClockOnStart().getClock();
            for (int other = 0; other < ended.length; other++) {
                if (other != thread && ended[other] < before[other]) {
                    return false;
                }
            }
            return true;
        }

        private boolean begins(WaitingModel model, int[] ended, int waiting, int thread) {
            Actor call = scenario.getParallelExecution().get(thread).get(ended[thread]);
            for (int way = 0; way < ways(model, call); way++) {
                WaitingModel next = model.copy();
                Object result = begin(next, thread, call, way);
                boolean explained = result == WaitingModel.WAITS
                        ? explains(next, ended, waiting | 1 << thread)
                        : Objects.equals(result, result(ended, thread))
                                && explains(next, advanced(ended, thread), waiting);
                if (explained) {
                    return true;
                }
            }
            return false;
        }

        private boolean ends(WaitingModel model, int[] ended, int waiting, int thread) {
            Object result = model.result(thread);
            WaitingModel next = model.copy();
            if (result == WaitingModel.WAITS) {
                if (!timedOut(result(ended, thread))) {
                    return false; // not yet
                }
                next.giveUp(thread);
            } else if (Objects.equals(result, result(ended, thread))) {
                next.forget(thread);
            } else {
                return false;
            }
            return explains(next, advanced(ended, thread), waiting & ~(1 << thread));
        }

        private Object result(int[] ended, int thread) {
            return observed.get(thread).get(ended[thread]);
        }

        private static int[] advanced(int[] ended, int thread) {
            int[] next = ended.clone();
            next[thread]++;
            return next;
        }
    }
}
