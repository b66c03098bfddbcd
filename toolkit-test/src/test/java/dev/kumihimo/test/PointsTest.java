package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.sync.Semaphore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** States that are produced on purpose. */
class PointsTest {
    @Test
    void step_ofTheGranter_leavesTheVictimGrantedAndNotResumed() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Semaphore semaphore = Semaphore.of(0);
            JoinHandle<?> victim =
                    test.runtime().spawn(() -> semaphore.acquire().forget());
            test.runUntilIdle();
            assertThat(test.isWaiting(victim)).isTrue();

            JoinHandle<?> granter = test.runtime().spawn(() -> semaphore.release(1));
            assertThat(test.step(granter)).isTrue();
            assertThat(granter.isDone()).isTrue();
            assertThat(test.isDecided(victim)).isTrue();
            assertThat(test.isReady(victim)).isTrue();
            assertThat(victim.isDone()).isFalse();

            victim.abort(); // too late: the permit is taken
            test.runUntilIdle();
            assertThat(victim.tryResult()).isInstanceOf(JoinResult.Success.class);
            assertThat(semaphore.availablePermits()).isZero();
        }
    }

    @Test
    void stepTo_stopsTheGranter_betweenTheGrantAndTheWake() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Semaphore semaphore = Semaphore.of(0);
            JoinHandle<?> victim =
                    test.runtime().spawn(() -> semaphore.acquire().forget());
            test.runUntilIdle();
            List<Point> points = new ArrayList<>();
            test.onPoint(points::add);
            JoinHandle<?> granter = test.runtime().spawn(() -> semaphore.release(1));
            boolean decided = false;
            for (long k = 1; test.stepTo(granter, k) && !decided; k++) {
                decided = test.isDecided(victim);
            }
            assertThat(decided).isTrue();
            assertThat(test.isReady(victim)).isFalse(); // granted, and not even woken
            test.runUntilIdle();
            assertThat(victim.isDone()).isTrue();
            assertThat(points.stream()
                            .filter(p -> p.task().contains(granter.toString()) || true)
                            .map(Point::kind))
                    .containsSubsequence("LOCK", "UNLOCK", "WAKE", "RESUME");
        }
    }

    /** A small cancel matrix: an acquire, at each of its points, meets each event; a permit is neither lost nor doubled. */
    @Test
    void acquire_losesNoPermit_whateverMeetsItAtEachPoint() throws Exception {
        long points;
        try (TestRuntime dry = TestRuntime.fifo()) {
            Semaphore semaphore = Semaphore.of(0);
            JoinHandle<?> victim = dry.runtime().spawn(() -> semaphore.acquire(Duration.ofSeconds(1)));
            dry.runUntilIdle();
            semaphore.release(1);
            dry.runUntilIdle();
            points = dry.points(victim);
        }
        assertThat(points).isGreaterThanOrEqualTo(4); // lock, unlock, park, resume
        int cases = 0;
        for (String event : List.of("abort", "interrupt", "timeout", "close", "grant")) {
            for (long k = 1; k <= points; k++) {
                try (TestRuntime test = TestRuntime.fifo()) {
                    Semaphore semaphore = Semaphore.of(0);
                    JoinHandle<Integer> victim = test.runtime()
                            .spawn(() ->
                                    semaphore.acquire(Duration.ofSeconds(1)).count());
                    if (!test.stepTo(victim, k)) { // it has parked before: grant it, and on to its point
                        semaphore.release(1);
                        assertThat(test.stepTo(victim, k)).isTrue();
                    } else {
                        test.runtime().spawn(() -> semaphore.release(1));
                    }
                    switch (event) {
                        case "abort" -> victim.abort();
                        case "interrupt" -> test.interrupt(victim);
                        case "timeout" -> test.elapse(Duration.ofSeconds(2));
                        case "close" -> semaphore.close();
                        default -> semaphore.release(1);
                    }
                    test.runUntilIdle();
                    test.advance(Duration.ofSeconds(5));
                    assertThat(victim.isDone()).isTrue();
                    int held = victim.tryResult() instanceof JoinResult.Success<Integer>(Integer count) ? count : 0;
                    int released = event.equals("grant") ? 2 : 1;
                    assertThat(semaphore.availablePermits() + held)
                            .as("%s at point %d", event, k)
                            .isEqualTo(released);
                    assertThat(test.timers()).isZero();
                    cases++;
                }
            }
        }
        assertThat(cases).isEqualTo((int) (5 * points));
    }

    @Test
    void runTo_stopsAllWhereTheTaskIs() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            Channel<Integer> channel = Channel.rendezvous();
            JoinHandle<Integer> receiver = test.runtime().spawn(() -> channel.receive());
            JoinHandle<?> sender = test.runtime().spawn(() -> {
                Task.sleep(Duration.ofSeconds(3));
                channel.send(7);
            });
            long k = 0;
            while (test.runTo(receiver, k + 1)) {
                k = test.points(receiver);
            }
            assertThat(k).isGreaterThanOrEqualTo(4);
            assertThat(receiver.join()).isEqualTo(7);
            test.runUntilIdle();
            assertThat(sender.isDone()).isTrue();
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofSeconds(3));
        }
    }

    @Test
    void elapse_atAPoint_makesADeadlinePassExactlyThere() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Semaphore semaphore = Semaphore.of(0);
            JoinHandle<?> victim = test.runtime().spawn(() -> semaphore.acquire(Duration.ofSeconds(1)));
            List<Point> points = new ArrayList<>();
            test.onPoint(points::add);
            long k = 1;
            while (test.stepTo(victim, k)
                    && !points.get(points.size() - 1).kind().equals("PARK")) {
                k++;
            }
            assertThat(test.elapse(Duration.ofSeconds(1))).isEqualTo(1);
            test.runUntilIdle();
            assertThat(victim.tryResult())
                    .isInstanceOfSatisfying(
                            JoinResult.Failure.class,
                            failure -> assertThat(failure.exception()).isInstanceOf(TimeoutException.class));
        }
    }

    @Test
    void step_runsOneTask() {
        try (TestRuntime test = TestRuntime.fifo()) {
            JoinHandle<?> first = test.runtime().spawn(Task::yieldNow);
            JoinHandle<?> second = test.runtime().spawn(Task::yieldNow);
            assertThat(test.ready()).hasSize(2);
            assertThat(test.step()).isTrue();
            assertThat(test.isReady(first)).isTrue();
            assertThat(test.step(second)).isTrue();
            assertThat(test.step(second)).isTrue();
            assertThat(second.isDone()).isTrue();
            assertThat(first.isDone()).isFalse();
            assertThat(test.step()).isTrue();
            assertThat(first.isDone()).isTrue();
            assertThat(test.step()).isFalse();
        }
    }

    /** A class whose initialisation, in which no thread can leave its carrier, has points. */
    private static final class Initialised {
        static final Semaphore SEMAPHORE = Semaphore.of(0);

        static {
            SEMAPHORE.release(1);
        }
    }

    @Test
    void points_thatCannotSwitch_areCounted() throws Exception {
        Strategy alwaysAnother = choice -> choice.size() - 1;
        try (TestRuntime test = TestRuntime.with(alwaysAnother)) {
            test.run(() -> {
                JoinHandle<?> other = Task.spawn(() -> {
                    for (int i = 0; i < 10; i++) {
                        Task.yieldNow();
                    }
                });
                assertThat(Initialised.SEMAPHORE.availablePermits()).isEqualTo(1);
                other.join();
            });
            assertThat(test.pinnedPoints()).isGreaterThanOrEqualTo(2);
            assertThat(test.replay()).contains(", " + test.pinnedPoints() + " switches were not possible");
        }
    }

    @Test
    void shutdown_atEachPointOfAWait_leavesNoTask() {
        for (long k = 1; ; k++) {
            try (TestRuntime test = TestRuntime.fifo()) {
                Semaphore semaphore = Semaphore.of(0);
                JoinHandle<?> victim = test.runtime().spawn(() -> semaphore.acquire());
                boolean there = test.stepTo(victim, k);
                test.runtime().shutdown(Duration.ZERO);
                test.runUntilIdle();
                assertThat(victim.tryResult()).isInstanceOf(JoinResult.Cancelled.class);
                assertThat(test.runtime().liveTasks()).isZero();
                if (!there) {
                    assertThat(k).isEqualTo(4); // lock, unlock, park
                    return;
                }
            }
        }
    }
}
