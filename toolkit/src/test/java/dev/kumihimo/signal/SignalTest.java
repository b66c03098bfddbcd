package dev.kumihimo.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.internal.jdk.OsSignal;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.ChildJvm;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signals that are sent to this JVM: such as would not end it if nobody listened. */
@Timeout(60)
class SignalTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final SignalKind KIND = SignalKind.WINDOW_CHANGE;

    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
        assertThat(SignalSource.size())
                .as("signals that are still listened for")
                .isZero();
    }

    private static void raise(SignalKind kind) throws Exception {
        ChildJvm.kill(ProcessHandle.current().pid(), kind.name());
    }

    @Test
    void receive_getsASignal_thatComesWhileItWaits_andOneThatCameBefore() throws Exception {
        try (Signal signal = Signal.listen(KIND)) {
            var waiting = TaskProbe.spawn(runtime, () -> signal.receive()).untilParked();
            raise(KIND);
            assertThat(waiting.handle().join(LONG)).isEqualTo(KIND);
            raise(KIND);
            assertThat(signal.receive(LONG)).isSameAs(KIND);
            assertThat(signal.tryReceive()).isNull();
        }
    }

    @Test
    void signalsThatNobodyReceives_countAsOne_andALaterOneAsAnother() throws Exception {
        try (Signal signal = Signal.listen(KIND);
                Signal last = Signal.listen(KIND)) { // told after the other
            for (int i = 0; i < 3; i++) {
                raise(KIND);
                last.receive(LONG);
            }
            assertThat(signal.tryReceive()).isEqualTo(KIND);
            assertThat(signal.tryReceive()).isNull();
            raise(KIND);
            assertThat(signal.receive(LONG)).isEqualTo(KIND);
        }
    }

    @Test
    void eachListenerOfEachRuntime_isTold_whateverHappensToOthers() throws Exception {
        try (Signal here = Signal.listen(KIND);
                Signal closed = Signal.listen(KIND);
                Signal there = Signal.listen(KIND)) {
            try (TaskRuntime other = TaskRuntime.builder().workerThreads(1).build()) {
                TaskProbe.spawn(other, () -> here.receive()).untilParked(); // aborted, with its runtime
                closed.close();
            }
            var one = TaskProbe.spawn(runtime, () -> here.receive()).untilParked();
            raise(KIND);
            assertThat(one.handle().join(LONG)).isEqualTo(KIND);
            assertThat(there.receive(LONG)).isEqualTo(KIND);
            assertThatThrownBy(closed::tryReceive).isInstanceOf(ChannelClosedException.class);
        }
    }

    @Test
    void tryReceiveAndTimeouts_findNothing() throws Exception {
        try (Signal signal = Signal.listen(KIND)) {
            assertThat(signal.tryReceive()).isNull();
            assertThatThrownBy(() -> signal.receive(Duration.ZERO)).isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> signal.receive(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        }
    }

    @Test
    void interruptAndAbort_endAWait_andTakeNothing() throws Exception {
        try (Signal signal = Signal.listen(KIND)) {
            var interrupted = TaskProbe.spawn(runtime, () -> signal.receive()).untilParked();
            interrupted.thread().interrupt();
            assertThat(((JoinResult.Failure<?>) interrupted.handle().result(LONG)).exception())
                    .isExactlyInstanceOf(InterruptedException.class);
            var aborted = TaskProbe.spawn(runtime, () -> signal.receive()).untilParked();
            aborted.handle().abort();
            assertThat(aborted.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            raise(KIND);
            assertThat(signal.receive(LONG)).isEqualTo(KIND);
        }
    }

    @Test
    void close_endsTheWaitsOfOthers_andMayBeRepeated() throws Exception {
        Signal signal = Signal.listen(KIND);
        assertThat(signal).hasToString("Signal[SIGWINCH]");
        var waiting = TaskProbe.spawn(runtime, () -> signal.receive()).untilParked();
        signal.close();
        signal.close();
        assertThat(((JoinResult.Failure<?>) waiting.handle().result(LONG)).exception())
                .isInstanceOf(ChannelClosedException.class);
        assertThat(signal).hasToString("Signal[SIGWINCH, closed]");
    }

    @Test
    void select_choosesTheSignalThatCame_andLosesNoOther() throws Exception {
        SignalKind other = SignalKind.of("URG");
        try (Signal resized = Signal.listen(KIND);
                Signal urgent = Signal.listen(other)) {
            Select<SignalKind> select =
                    Select.<SignalKind>of().on(resized, kind -> kind).on(urgent, kind -> kind);
            var waiting = TaskProbe.spawn(runtime, () -> select.await()).untilParked();
            raise(other);
            assertThat(waiting.handle().join(LONG)).isEqualTo(other);
            raise(KIND);
            assertThat(resized.receive(LONG)).isEqualTo(KIND);
            assertThat(urgent.tryReceive()).isNull();
        }
    }

    @Test
    void allNamedKinds_canBeListenedFor_alsoUnderAnAlias() throws Exception {
        for (SignalKind kind : List.of(
                SignalKind.INTERRUPT,
                SignalKind.TERMINATE,
                SignalKind.HANGUP,
                SignalKind.USER1,
                SignalKind.USER2,
                SignalKind.CHILD,
                SignalKind.ALARM,
                SignalKind.PIPE,
                SignalKind.WINDOW_CHANGE,
                SignalKind.IO)) {
            Signal.listen(kind).close();
        }
        try (Signal signal = Signal.listen(SignalKind.PIPE)) {
            raise(SignalKind.PIPE);
            signal.receive(LONG);
        }
        raise(SignalKind.PIPE); // the JVM's own handler is back, and ignores it
        try (Signal ctrlC = Signal.ctrlC();
                Signal io = Signal.listen(SignalKind.IO);
                Signal poll = Signal.listen(SignalKind.of("POLL"))) { // the same number, at least on Linux
            assertThat(ctrlC.kind()).isEqualTo(SignalKind.INTERRUPT);
            raise(SignalKind.IO);
            assertThat(io.receive(LONG)).isEqualTo(SignalKind.IO);
            assertThat(poll.receive(LONG)).isEqualTo(SignalKind.of("POLL"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "KILL, the JVM or the system keeps it for itself",
        "STOP, the JVM or the system keeps it for itself",
        "QUIT, the JVM or the system keeps it for itself",
        "SEGV, the JVM or the system keeps it for itself",
        "ILL, the JVM or the system keeps it for itself",
        "FPE, the JVM or the system keeps it for itself",
        "BUS, the JVM learns of faults by it",
        "TRAP, the JVM learns of faults by it",
        "MOON, this system has no signal of that name"
    })
    void listen_refusesWhatItCannotHear_andNamesItAndWhy(String name, String why) {
        assertThatThrownBy(() -> Signal.listen(SignalKind.of(name)))
                .isExactlyInstanceOf(IllegalArgumentException.class)
                .hasMessage("SIG" + name + " cannot be listened for: " + why);
    }

    @Test
    void kinds_areEqualByName_howeverItIsWritten() {
        assertThat(SignalKind.of("sigusr1")).isEqualTo(SignalKind.USER1).hasSameHashCodeAs(SignalKind.USER1);
        assertThat(SignalKind.of(" Hup ")).isEqualTo(SignalKind.HANGUP).hasToString("SIGHUP");
        assertThat(SignalKind.of("HUP")).isNotEqualTo(SignalKind.INTERRUPT);
        assertThat(SignalKind.IO.name()).isEqualTo("IO");
    }

    @Test
    void lastClose_putsThePreviousHandlerBack() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        OsSignal before = OsSignal.of(KIND.name());
        before.install(calls::incrementAndGet);
        try {
            Signal one = Signal.listen(KIND);
            Signal two = Signal.listen(KIND);
            raise(KIND);
            two.receive(LONG);
            one.close();
            raise(KIND);
            two.receive(LONG);
            assertThat(calls).hasValue(0);
            two.close();
            raise(KIND);
            Observe.until("the handler from before is called", () -> calls.get() == 1);
        } finally {
            before.uninstall();
        }
    }

    @Test
    void aHandlerThatOthersPutOnTop_staysThere_andWhatItPassesOnReachesTheOneBefore() throws Exception {
        AtomicInteger below = new AtomicInteger();
        AtomicInteger above = new AtomicInteger();
        OsSignal before = OsSignal.of(KIND.name());
        OsSignal after = OsSignal.of(KIND.name());
        before.install(below::incrementAndGet);
        try (Signal signal = Signal.listen(KIND)) {
            after.install(() -> {
                above.incrementAndGet();
                after.passOn();
            });
            raise(KIND);
            signal.receive(LONG);
            signal.close();
            raise(KIND);
            Observe.until("the handler from before is called", () -> below.get() == 1);
            assertThat(above).hasValue(2);
        } finally {
            after.uninstall();
            before.uninstall();
        }
    }

    @Test
    void listening_saysNothing_ifAllIsWell() {
        try (CapturedLog log = CapturedLog.open()) {
            Signal.listen(KIND).close();
            assertThat(log.messages(Level.WARN, "")).isEmpty();
        }
    }

    /** A signal that was sent before a listener listens, and is handled while the last one before it closes, is nobody's. */
    @Test
    void aListenerThatComesLater_isNotToldOfWhatCameBefore() throws Exception {
        try (Signal first = Signal.listen(KIND)) {
            raise(KIND);
            first.receive(LONG);
        }
        try (Signal second = Signal.listen(KIND)) {
            assertThat(second.tryReceive()).isNull();
        }
    }
}
