package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.sync.RwLock;
import java.util.ArrayDeque;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/** A read-write lock does what {@link LockModel} does: first come first served, readers together, writers alone. */
class RwLockLincheckTest {
    /** A lock of a count, for two readers at most; a thread keeps its guards to itself. */
    public abstract static class Operations {
        final RwLock<Integer> lock = RwLock.of(0, 2);
        private final ThreadLocal<ArrayDeque<AutoCloseable>> held = ThreadLocal.withInitial(ArrayDeque::new);

        final int look(RwLock.ReadGuard<Integer> guard) {
            if (guard == null) {
                return LockModel.NOT_FREE;
            }
            held.get().push(guard);
            return guard.get();
        }

        final int count(RwLock.WriteGuard<Integer> guard) {
            if (guard == null) {
                return LockModel.NOT_FREE;
            }
            held.get().push(guard);
            int count = guard.get();
            guard.set(count + 1);
            return count;
        }

        @Operation
        public int tryRead() {
            return look(lock.tryRead());
        }

        @Operation
        public int tryWrite() {
            return count(lock.tryWrite());
        }

        @Operation
        public boolean unlock() throws Exception {
            AutoCloseable guard = held.get().poll();
            if (guard == null) {
                return false;
            }
            guard.close();
            return true;
        }

        @Operation
        public boolean downgrade() {
            if (!(held.get().peek() instanceof RwLock.WriteGuard<?> guard)) {
                return false;
            }
            held.get().pop();
            held.get().push(guard.downgrade());
            return true;
        }
    }

    /** With waits that end by themselves. */
    public static final class Timed extends Operations {
        @Operation
        public int read() throws Exception {
            return look(lock.read(Checks.PATIENCE));
        }

        @Operation
        public int write() throws Exception {
            return count(lock.write(Checks.PATIENCE));
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(LockModel.TwoReaders.class), Timed.class);
    }

    /** With waits that only an unlock ends. */
    public static final class Endless extends Operations {
        @Operation
        public int read() throws Exception {
            return look(lock.read());
        }

        @Operation
        public int write() throws Exception {
            return count(lock.write());
        }
    }

    private static List<ExecutionScenario> balanced() {
        Class<?> subject = Endless.class;
        return List.of(
                scenario( // a tryRead that fails beside a reader shows that a writer waits: no read may pass it
                        List.of(call(subject, "read"), call(subject, "unlock")),
                        List.of(call(subject, "write"), call(subject, "unlock")),
                        List.of(
                                call(subject, "tryRead"),
                                call(subject, "unlock"),
                                call(subject, "read"),
                                call(subject, "unlock"))),
                scenario(
                        List.of(call(subject, "write"), call(subject, "downgrade"), call(subject, "unlock")),
                        List.of(call(subject, "write"), call(subject, "unlock")),
                        List.of(call(subject, "read"), call(subject, "unlock"))),
                scenario(
                        List.of(call(subject, "write"), call(subject, "downgrade"), call(subject, "tryWrite")),
                        List.of(call(subject, "read"), call(subject, "unlock")),
                        List.of(call(subject, "tryRead"), call(subject, "tryWrite"), call(subject, "unlock"))),
                scenario( // the third reader waits
                        List.of(call(subject, "read"), call(subject, "unlock")),
                        List.of(call(subject, "read"), call(subject, "unlock")),
                        List.of(call(subject, "read"), call(subject, "unlock"), call(subject, "tryRead"))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd() {
        accept(Checks.modelChecking(LockModel.TwoReaders.class, balanced()), Endless.class);
    }
}
