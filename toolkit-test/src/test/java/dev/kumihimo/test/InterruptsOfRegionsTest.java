package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.task.CancellationToken;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** There is one interrupt flag for all regions that a thread is in, and for those who interrupt it plainly. */
class InterruptsOfRegionsTest {
    /** Who came last runs first: so the thread that brings an interrupt does before the one that is interrupted goes on. */
    private static int newest(Strategy.Choice choice) {
        if (choice.canGoOn()) {
            return 0;
        }
        int newest = 0;
        for (int i = 1; i < choice.size(); i++) {
            if (choice.task(i) > choice.task(newest)) {
                newest = i;
            }
        }
        return newest;
    }

    private final CancellationToken outer = CancellationToken.create("outer");
    private final CancellationToken inner = CancellationToken.create("inner");
    private final Channel<Integer> never = Channel.bounded(1);
    private boolean inside;
    private boolean looked;
    private boolean interrupted;
    private TaskCancelledException thrown;

    /** Cancels the inner region while no wait of the toolkit is open: its thread is interrupted. */
    private void interruptInner() {
        inner.cancel();
        Thread.yield();
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
    }

    private void look() {
        Thread.yield(); // an interrupt that is under way comes
        looked = true;
        interrupted = Thread.currentThread().isInterrupted();
    }

    private void waitInVain() throws InterruptedException {
        try {
            never.receive();
        } catch (TaskCancelledException e) {
            thrown = e;
        }
    }

    private interface Scene {
        void play(InterruptsOfRegionsTest test) throws Exception;
    }

    private static JoinHandle<?> spawn(TestRuntime test, InterruptsOfRegionsTest one, Scene scene) {
        return test.runtime()
                .spawn(() -> one.outer.run(() -> {
                    one.inside = true;
                    scene.play(one);
                }));
    }

    /** Plays a scene again and again, and cancels the outer region at each point of it, until somebody looks at the flag. */
    private static void strikeAtEachPoint(Scene scene, Consumer<InterruptsOfRegionsTest> check) {
        int struck = 0;
        for (long k = 1; ; k++) {
            InterruptsOfRegionsTest one = new InterruptsOfRegionsTest();
            try (TestRuntime test = TestRuntime.with(InterruptsOfRegionsTest::newest)) {
                JoinHandle<?> task = spawn(test, one, scene);
                test.runTo(task, k);
                if (one.looked) {
                    break;
                }
                if (one.inside) {
                    one.outer.cancel();
                    test.step(); // the thread that interrupts, unless it was told to a wait
                    test.runUntilIdle();
                    assertThat(one.looked).as("at point %d", k).isTrue();
                    assertThat(task.tryResult()).isNotNull();
                    check.accept(one);
                    struck++;
                }
            }
        }
        assertThat(struck).isGreaterThan(5);
    }

    private static InterruptsOfRegionsTest play(Scene scene) {
        InterruptsOfRegionsTest one = new InterruptsOfRegionsTest();
        try (TestRuntime test = TestRuntime.with(InterruptsOfRegionsTest::newest)) {
            JoinHandle<?> task = spawn(test, one, scene);
            test.runUntilIdle();
            assertThat(task.tryResult()).isNotNull();
            assertThat(one.looked).isTrue();
            return one;
        }
    }

    @Test
    void leavingARegion_keepsTheInterruptOfTheOneAround_wheneverThatComes() {
        strikeAtEachPoint(
                one -> {
                    one.inner.run(one::interruptInner);
                    one.look();
                },
                one -> assertThat(one.interrupted).isTrue());
    }

    @Test
    void aWaitThatThrows_keepsTheInterruptOfTheRegionAround_whenItTellsOfTheInnerOne() {
        strikeAtEachPoint(
                one -> one.inner.run(() -> {
                    one.interruptInner();
                    one.waitInVain();
                    one.look();
                }),
                one -> {
                    if (one.thrown.reason().message().contains("inner")) {
                        assertThat(one.interrupted).isTrue();
                    }
                });
    }

    @Test
    void leavingAShield_interrupts_forARegionCancelledMeanwhile_whenTheOneAroundHasBeenTold() {
        InterruptsOfRegionsTest seen = play(one -> {
            one.outer.cancel();
            one.waitInVain();
            Thread.yield();
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            one.inner.run(() -> {
                Task.shield(() -> {
                    one.inner.cancel();
                    Thread.yield();
                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                });
                one.look();
            });
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        });
        assertThat(seen.interrupted).isTrue();
    }

    @Test
    void aPlainInterrupt_survivesTheEndOfARegion_whoseCancellationAWaitHasTold() {
        InterruptsOfRegionsTest seen = play(one -> {
            one.inner.run(() -> {
                one.interruptInner();
                one.waitInVain();
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                Thread.currentThread().interrupt();
            });
            one.look();
        });
        assertThat(seen.interrupted).isTrue();
    }

    @Test
    void aPlainInterrupt_survivesAShield() {
        InterruptsOfRegionsTest seen = play(one -> {
            Thread.currentThread().interrupt();
            Task.shield(() -> assertThat(Thread.currentThread().isInterrupted()).isFalse());
            one.look();
        });
        assertThat(seen.interrupted).isTrue();
    }
}
