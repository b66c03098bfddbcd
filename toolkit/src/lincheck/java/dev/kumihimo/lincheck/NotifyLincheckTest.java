package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.sync.Notify;
import java.util.List;
import java.util.stream.Stream;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;

/** A notify does what {@link NotifyModel} does: no notification is lost, one is kept, and a listener hears what came between. */
class NotifyLincheckTest {
    @Param(name = "listener", gen = ThreadIdGen.class)
    public abstract static class Operations {
        final Notify notify = new Notify();
        final List<Notify.Listener> listeners =
                Stream.generate(notify::listen).limit(NotifyModel.LISTENERS).toList();

        @Operation
        public boolean notifyOne() {
            notify.notifyOne();
            return true;
        }

        @Operation
        public boolean notifyLast() {
            notify.notifyLast();
            return true;
        }

        @Operation
        public boolean notifyWaiters() {
            notify.notifyWaiters();
            return true;
        }

        @Operation
        public boolean tryNotified() {
            return notify.tryNotified();
        }

        @Operation
        public boolean tryHear(@Param(name = "listener") int listener) {
            return listeners.get(listener).tryAwait();
        }
    }

    /** With waits that end by themselves. */
    public static final class Timed extends Operations {
        @Operation
        public boolean notified() throws Exception {
            notify.notified(Checks.PATIENCE);
            return true;
        }

        @Operation
        public boolean hear(@Param(name = "listener") int listener) throws Exception {
            listeners.get(listener).await(Checks.PATIENCE);
            return true;
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(NotifyModel.class), Timed.class);
    }

    /** With waits that only a notification ends. */
    public static final class Endless extends Operations {
        @Operation
        public boolean notified() throws Exception {
            notify.notified();
            return true;
        }

        @Operation
        public boolean hear(@Param(name = "listener") int listener) throws Exception {
            listeners.get(listener).await();
            return true;
        }
    }

    private static List<ExecutionScenario> balanced() {
        Class<?> subject = Endless.class;
        return List.of(
                scenario(
                        List.of(call(subject, "notified"), call(subject, "notifyOne")),
                        List.of(call(subject, "notified"), call(subject, "notifyOne")),
                        List.of(call(subject, "notifyOne"))),
                scenario(
                        List.of(call(subject, "notified"), call(subject, "notifyLast")),
                        List.of(call(subject, "notified"), call(subject, "notifyLast")),
                        List.of(call(subject, "notifyLast"), call(subject, "notifyWaiters"))),
                scenario(
                        List.of(call(subject, "hear", 0), call(subject, "tryHear", 0)),
                        List.of(call(subject, "hear", 1), call(subject, "tryNotified")),
                        List.of(call(subject, "notifyWaiters"), call(subject, "notifyWaiters"))),
                scenario(
                        List.of(call(subject, "hear", 0)),
                        List.of(call(subject, "notified"), call(subject, "tryNotified")),
                        List.of(call(subject, "notifyWaiters"), call(subject, "notifyOne"))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd() {
        accept(Checks.modelChecking(NotifyModel.class, balanced()), Endless.class);
    }
}
