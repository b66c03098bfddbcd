package dev.kumihimo.test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One schedule of an {@link AsyncTest}: a runtime, what its parameters are, and the order of its end. */
final class TestRun {
    /** What a test method can ask for. */
    private static final Map<Class<?>, Function<TestRun, Object>> PARAMETERS = Map.of(
            TestRuntime.class, run -> run.test,
            TestClock.class, run -> run.test.clock(),
            Rng.class, run -> run.rng,
            TestScope.class, run -> run.scope,
            BackgroundScope.class, run -> run.background);

    private final TestRuntime test;
    private final Rng rng;
    private final TestScope scope;
    private final BackgroundScope background;
    private boolean bodyEnded;

    TestRun(TestRuntime test) {
        this.test = test;
        this.rng = test.data();
        this.scope = new TestScope(test);
        this.background = new BackgroundScope(test);
    }

    /** What is run: as a test method, it throws anything. */
    interface TestBody {
        void run() throws Throwable;
    }

    static boolean isParameter(Class<?> type) {
        return PARAMETERS.containsKey(type);
    }

    Object parameter(Class<?> type) {
        Function<TestRun, Object> parameter = PARAMETERS.get(type);
        if (parameter == null) {
            throw new IllegalArgumentException("no parameter of an @AsyncTest: " + type);
        }
        return parameter.apply(this);
    }

    TestRuntime test() {
        return test;
    }

    /** Runs the body as the main task, ends what belongs to it, and closes the runtime. */
    void execute(TestBody body) throws Throwable {
        Throwable failure = null;
        try {
            test.run(() -> main(body));
        } catch (InterruptedException e) {
            failure = e; // the body's, or it was cancelled: the thread that drives is told by an error
        } catch (Throwable e) {
            failure = e;
        }
        failure = withTasks(failure);
        if (failure == null) {
            failure = caught(test::finish);
        }
        failure = both(failure, caught(test::close));
        if (failure != null) {
            throw failure;
        }
    }

    private void main(TestBody body) throws Exception {
        Throwable thrown = null;
        try {
            body.run();
        } catch (Throwable e) {
            thrown = e;
        }
        bodyEnded = true;
        scope.end(thrown != null);
        background.abort();
        if (thrown != null) {
            throw TestRuntime.<RuntimeException>sneak(thrown);
        }
    }

    /** Adds what tasks threw. Where the body has not ended, its tasks' failures are why, and come first. */
    private @Nullable Throwable withTasks(@Nullable Throwable failure) {
        List<Throwable> failures = new ArrayList<>(scope.failures());
        failures.addAll(background.failures());
        scope.told();
        background.told();
        if (failures.isEmpty()) {
            return failure;
        }
        Throwable first = failure;
        if (failure == null || !bodyEnded) {
            first = failures.remove(0);
            first.addSuppressed(failure == null ? new ScheduleError(test.replay()) : failure);
        }
        for (Throwable each : failures) {
            first = both(first, each);
        }
        return first;
    }

    private static @Nullable Throwable caught(Runnable end) {
        try {
            end.run();
            return null;
        } catch (Throwable e) {
            return e;
        }
    }

    private static @Nullable Throwable both(@Nullable Throwable first, @Nullable Throwable second) {
        if (first == null || second == null) {
            return first == null ? second : first;
        }
        if (first != second) {
            first.addSuppressed(second);
        }
        return first;
    }
}
