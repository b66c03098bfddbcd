package dev.kumihimo;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.Permit;
import dev.kumihimo.channel.Receiver;
import dev.kumihimo.channel.Sender;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.signal.Service;
import dev.kumihimo.signal.Signal;
import dev.kumihimo.signal.SignalKind;
import dev.kumihimo.sync.Barrier;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.RwLock;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.Debounce;
import dev.kumihimo.time.DelayQueue;
import dev.kumihimo.time.Interval;
import dev.kumihimo.time.Throttle;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a wrong use is told: the value, and what is allowed. */
@Timeout(60)
class MisuseTest {
    private static final String PERIODS = "PT0.000000001S to PT2562047H47M16.854775807S";

    private static Arguments row(String message, ThrowingCallable misuse) {
        return Arguments.of(message, misuse);
    }

    static Stream<Arguments> wrongValues() {
        Channel<String> channel = Channel.bounded(2);
        Semaphore semaphore = Semaphore.of(3);
        DelayQueue<String> delays = DelayQueue.create();
        DelayQueue.Key foreign = DelayQueue.<String>create().insert("item", Duration.ZERO);
        return Stream.of(
                row(
                        "capacity=0 must be at least 1; a channel without a buffer is Channel.rendezvous()",
                        () -> Channel.bounded(0)),
                row("capacity=0 must be 1 to 1073741824", () -> Broadcast.create(0)),
                row("capacity=1073741825 must be 1 to 1073741824", () -> Broadcast.create((1 << 30) + 1)),
                row("capacity=0 must be 1 to 1073741824", () -> Broadcast.backpressured(0)),
                row("places=-1 must be 0 to the capacity of 2", () -> channel.reserveMany(-1)),
                row("places=3 must be 0 to the capacity of 2", () -> channel.tryReserveMany(3)),
                row("places=3 must be 0 to the capacity of 2", () -> channel.reservingMany(3)),
                row("permits=-1 must be 0 to 2147483647", () -> Semaphore.of(-1)),
                row("count=0 must be 1 to 2147483647", () -> semaphore.acquire(0)),
                row("count=-1 must be 1 to 2147483647", () -> semaphore.tryAcquire(-1)),
                row("count=0 must be 1 to 2147483647", () -> semaphore.acquiring(0)),
                row(
                        "count=2147483645 would bring 3 free permits above the maximum of 2147483647",
                        () -> semaphore.release(Integer.MAX_VALUE - 2)),
                row("moved=3 must be 1 to 2", () -> Semaphore.of(2).acquire(2).split(3)),
                row("maxReaders=0 must be 1 to 2147483647", () -> RwLock.of("v", 0)),
                row("parties=0 must be at least 1", () -> Barrier.of(0)),
                row("maxConcurrency=0 must be at least 1", () -> JoinSet.open(0)),
                row(
                        "drainTimeout=PT-1S must not be negative",
                        () -> Service.builder().drainTimeout(Duration.ofSeconds(-1))),
                row(
                        "abortTimeout=PT-1S must not be negative",
                        () -> Service.builder().abortTimeout(Duration.ofSeconds(-1))),
                row("name=\"sig\" must be that of a signal, as HUP or SIGHUP", () -> SignalKind.of("sig")),
                row(
                        "SIGKILL cannot be listened for: the JVM or the system keeps it for itself",
                        () -> Signal.listen(SignalKind.of("KILL"))),
                row("period=PT0S must be " + PERIODS, () -> Interval.of(Duration.ZERO)),
                row("period=PT-1S must be " + PERIODS, () -> Interval.of(Duration.ofSeconds(-1))),
                row("period=PT-1S must be " + PERIODS, () -> Interval.of(Duration.ofSeconds(-1), Deadline.current())),
                row(
                        "period=PT2562047H47M16.854775808S must be " + PERIODS,
                        () -> Interval.of(Duration.ofNanos(Long.MAX_VALUE).plusNanos(1))),
                row(
                        "period=" + ChronoUnit.FOREVER.getDuration() + " must be " + PERIODS,
                        () -> Interval.of(ChronoUnit.FOREVER.getDuration())),
                row("period=PT0S must be more than zero", () -> Throttle.of(channel, Duration.ZERO)),
                row(
                        "period=PT-1S must be more than zero",
                        () -> Throttle.of(channel.receiver(), Duration.ofSeconds(-1))),
                row("quiet=PT0S must be more than zero", () -> Debounce.of(channel, Duration.ZERO)),
                row(
                        "quiet=PT-1S must be more than zero",
                        () -> Debounce.of(channel.receiver(), Duration.ofSeconds(-1))),
                row(
                        "longest=PT0S must be more than zero",
                        () -> Debounce.of(channel, Duration.ofNanos(1)).atMost(Duration.ZERO)),
                row("the key is of another queue", () -> delays.tryRemove(foreign)),
                row("the key is of another queue", () -> delays.remove(foreign)),
                row("the key is of another queue", () -> delays.reset(foreign, Duration.ZERO)),
                row("the key is of another queue", () -> delays.tryResetAt(foreign, Deadline.current())),
                row("the key is of another queue", () -> delays.deadline(foreign)),
                row(
                        "duration=PT-1S must not be negative",
                        () -> Deadline.current().plus(Duration.ofSeconds(-1))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("wrongValues")
    void aWrongValue_isNamed(String message, ThrowingCallable misuse) {
        assertThatThrownBy(misuse).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    static Stream<Arguments> wrongMoments() throws Exception {
        Channel<String> channel = Channel.bounded(2);
        channel.sender();
        channel.receiver();
        Sender<String> sender = channel.sender();
        sender.close();
        Receiver<String> receiver = channel.receiver();
        receiver.close();
        Permit<String> used = channel.reserve();
        used.close();
        Semaphore.Permit released = Semaphore.of(1).acquire();
        released.close();
        Mutex.Guard<String> unlocked = Mutex.of("v").lock();
        unlocked.close();
        RwLock.ReadGuard<String> read = RwLock.of("v").read();
        read.close();
        String needsCopy = " is closed; a thread that goes on when another closes it needs a copy() of its own";
        return Stream.of(
                row("this sender" + needsCopy, () -> sender.send("x")),
                row("this sender" + needsCopy, sender::copy),
                row("this receiver" + needsCopy, receiver::tryReceive),
                row("this receiver" + needsCopy, receiver::copy),
                row("count=0: all places of this permit are used or given back", () -> used.send("x")),
                row("this permit was given back or forgotten", () -> released.split(1)),
                row("the guard is closed, the mutex unlocked", unlocked::get),
                row("the guard is closed, the read lock unlocked", read::get),
                row(
                        "a rendezvous channel has no places to reserve; its send waits for a receiver",
                        () -> Channel.rendezvous().reserve()),
                row(
                        "a select with none of its 0 branches enabled, and without otherwise(), would wait for ever",
                        () -> Select.of().await()),
                row(
                        "a select with none of its 2 branches enabled, and without otherwise(), would wait for ever",
                        () -> Select.of()
                                .on(channel, () -> "received")
                                .when(() -> false)
                                .on(Semaphore.of(1), () -> "acquired")
                                .when(() -> false)
                                .await()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("wrongMoments")
    void aUseAtTheWrongTime_isTold(String message, ThrowingCallable misuse) {
        assertThatThrownBy(misuse)
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage(message);
    }

    @Test
    void unlockingFromElsewhere_namesBoth() throws Exception {
        String here = "thread \"" + Thread.currentThread().getName() + '"';
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build();
                Mutex.Guard<String> guard = Mutex.of("v").lock()) {
            JoinHandle<?> thief = runtime.spawn(() -> guard.close());
            assertThatThrownBy(thief::join)
                    .rootCause()
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessage("the mutex is held by " + here + ", and " + thief
                            + " cannot unlock it: a guard is closed by who took it");
        }
    }
}
