package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.sync.Semaphore;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** A semaphore does what {@link SemaphoreModel} does: no permit lost or doubled, first come first served, nobody barges. */
class SemaphoreLincheckTest {
    @Param(name = "count", gen = IntGen.class, conf = "1:2")
    public abstract static class Operations {
        final Semaphore semaphore;

        Operations(int permits) {
            semaphore = Semaphore.of(permits);
        }

        @Operation
        public boolean tryAcquire(@Param(name = "count") int count) {
            return semaphore.tryAcquire(count) != null;
        }

        @Operation
        public boolean release(@Param(name = "count") int count) {
            semaphore.release(count);
            return true;
        }

        @Operation
        public int availablePermits() {
            return semaphore.availablePermits();
        }

        @Operation(runOnce = true)
        public boolean close() {
            semaphore.close();
            return true;
        }
    }

    /** With waits that end by themselves. */
    public abstract static class Timed extends Operations {
        Timed(int permits) {
            super(permits);
        }

        @Operation
        public boolean acquire(@Param(name = "count") int count) throws Exception {
            return semaphore.acquire(count, Checks.PATIENCE) != null;
        }
    }

    public static final class Empty extends Timed {
        public Empty() {
            super(0);
        }
    }

    public static final class Two extends Timed {
        public Two() {
            super(2);
        }
    }

    @Test
    void timedWaits_areLinearizable_withNoPermitAtFirst() {
        accept(Checks.stress(SemaphoreModel.Empty.class), Empty.class);
    }

    @Test
    void timedWaits_areLinearizable_withTwoPermits() {
        accept(Checks.stress(SemaphoreModel.Two.class), Two.class);
    }

    public static final class Trying extends Operations {
        public Trying() {
            super(1);
        }
    }

    @Test
    void trying_isLinearizable_inEveryInterleaving() {
        accept(Checks.modelChecking(SemaphoreModel.One.class), Trying.class);
    }

    /** With waits that only a release or the close ends. */
    public static final class Endless extends Operations {
        public Endless() {
            super(1);
        }

        @Operation
        public boolean acquire(@Param(name = "count") int count) throws Exception {
            return semaphore.acquire(count) != null;
        }
    }

    private static List<ExecutionScenario> balanced() {
        Class<?> subject = Endless.class;
        return List.of(
                scenario(
                        List.of(call(subject, "acquire", 1), call(subject, "release", 1)),
                        List.of(call(subject, "acquire", 1), call(subject, "release", 1)),
                        List.of(call(subject, "acquire", 1), call(subject, "release", 1))),
                scenario(
                        List.of(call(subject, "acquire", 2), call(subject, "availablePermits")),
                        List.of(call(subject, "tryAcquire", 1), call(subject, "release", 2))),
                scenario(
                        List.of(call(subject, "acquire", 2)),
                        List.of(call(subject, "acquire", 1)),
                        List.of(call(subject, "release", 2), call(subject, "availablePermits"))),
                scenario(
                        List.of(call(subject, "acquire", 2)),
                        List.of(call(subject, "acquire", 2)),
                        List.of(call(subject, "close"), call(subject, "release", 1))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd() {
        accept(Checks.modelChecking(SemaphoreModel.One.class, balanced()), Endless.class);
    }
}
