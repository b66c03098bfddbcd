package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.sync.Mutex;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/** A mutex does what {@link LockModel} does: one at a time, and each sees what the one before it wrote. */
class MutexLincheckTest {
    /** A lock of a count; a thread keeps its guard to itself. */
    public abstract static class Operations {
        final Mutex<Integer> mutex = Mutex.of(0);
        private final ThreadLocal<Mutex.Guard<Integer>> held = new ThreadLocal<>();

        final int count(Mutex.Guard<Integer> guard) {
            if (guard == null) {
                return LockModel.NOT_FREE;
            }
            int count = guard.get();
            guard.set(count + 1);
            held.set(guard);
            return count;
        }

        @Operation
        public int tryLock() {
            return count(mutex.tryLock());
        }

        @Operation
        public boolean unlock() {
            Mutex.Guard<Integer> guard = held.get();
            held.remove();
            if (guard == null) {
                return false;
            }
            guard.close();
            return true;
        }

        @Operation
        public boolean isLocked() {
            return mutex.isLocked();
        }
    }

    /** With waits that end by themselves. */
    public static final class Timed extends Operations {
        @Operation
        public int lock() throws Exception {
            return count(mutex.lock(Checks.PATIENCE));
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(LockModel.OneReader.class), Timed.class);
    }

    /** With waits that only an unlock ends. */
    public static final class Endless extends Operations {
        @Operation
        public int lock() throws Exception {
            return count(mutex.lock());
        }
    }

    private static List<ExecutionScenario> balanced() {
        Class<?> subject = Endless.class;
        return List.of(
                scenario(
                        List.of(call(subject, "lock"), call(subject, "unlock"), call(subject, "isLocked")),
                        List.of(call(subject, "lock"), call(subject, "unlock")),
                        List.of(call(subject, "lock"), call(subject, "unlock"))),
                scenario(
                        List.of(call(subject, "lock"), call(subject, "unlock"), call(subject, "lock")),
                        List.of(call(subject, "tryLock"), call(subject, "isLocked"), call(subject, "unlock"))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd() {
        accept(Checks.modelChecking(LockModel.OneReader.class, balanced()), Endless.class);
    }
}
