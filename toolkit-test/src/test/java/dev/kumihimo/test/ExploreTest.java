package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.sync.Semaphore;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Planted bugs are found, sound code is not accused, and what is found is found again. */
class ExploreTest {
    private static void sound() throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        Semaphore one = Semaphore.of(1);
        JoinHandle<?> producer = Task.spawn(() -> {
            try (var permit = one.acquire()) {
                channel.send(1);
                channel.send(2);
            }
        });
        assertThat(channel.receive()).isEqualTo(1);
        assertThat(channel.receive()).isEqualTo(2);
        one.acquire().close();
        producer.join();
    }

    @Test
    void seeds_findALostUpdate_andTheSeedFindsItAgain() {
        Throwable found = catchThrowable(() -> Explore.seeds(200).run(Races::lostUpdate));
        assertThat(found)
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("seed 0x")
                .hasCauseInstanceOf(AssertionError.class);
        String message = found.getMessage();
        int at = message.indexOf("seed 0x") + 7;
        long seed = Long.parseUnsignedLong(message.substring(at, message.indexOf(':', at)), 16);
        for (int i = 0; i < 5; i++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                assertThatThrownBy(() -> test.run(Races::lostUpdate)).isInstanceOf(AssertionError.class);
            }
        }
    }

    @Test
    void seeds_findALostWakeup_andTellWhoWaits() {
        assertThatThrownBy(() -> Explore.seeds(500).run(Races::lostWakeup))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("deadlock")
                .hasMessageContaining("waits for gate open");
    }

    @Test
    void preemptions_findALostUpdateWithinOne_andALostWakeupWithinTwo() {
        assertThat(Explore.preemptions(0).run(Races::lostUpdate).exhausted()).isTrue();
        assertThatThrownBy(() -> Explore.preemptions(1).run(Races::lostUpdate)).isInstanceOf(ScheduleError.class);
        assertThat(Explore.preemptions(1).run(Races::lostWakeup).exhausted()).isTrue();
        assertThatThrownBy(() -> Explore.preemptions(2).run(Races::lostWakeup))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("waits for gate open");
    }

    @Test
    void preemptions_failure_isReplayedByItsTrace() {
        Throwable found = catchThrowable(() -> Explore.preemptions(1).run(Races::lostUpdate));
        String message = found.getMessage();
        int at = message.indexOf("Strategy.replay(\"") + "Strategy.replay(\"".length();
        String trace = message.substring(at, message.indexOf('"', at));
        try (TestRuntime test = TestRuntime.with(Strategy.replay(trace))) {
            assertThatThrownBy(() -> test.run(Races::lostUpdate)).isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void preemptions_runEachScheduleOnce_andAllOfThem() {
        Explore.Result none = Explore.preemptions(0).run(ExploreTest::sound);
        Explore.Result one = Explore.preemptions(1).run(ExploreTest::sound);
        Explore.Result two = Explore.preemptions(2).run(ExploreTest::sound);
        assertThat(none.exhausted() && one.exhausted() && two.exhausted()).isTrue();
        assertThat(one.schedules()).isGreaterThan(none.schedules());
        assertThat(two.schedules()).isGreaterThan(one.schedules());
        assertThat(two.distinct()).isEqualTo(two.schedules());
    }

    @Test
    void seeds_accuseNoSoundCode() {
        Explore.Result result = Explore.seeds(1_000).run(ExploreTest::sound);
        assertThat(result.schedules()).isGreaterThanOrEqualTo(1_001); // more at night
        assertThat(result.distinct()).isGreaterThan(100);
    }

    @Test
    void rng_isTheOneThatIsSpecified() {
        Rng rng = Rng.of(0); // the reference values of SplitMix64
        assertThat(List.of(rng.nextLong(), rng.nextLong(), rng.nextLong()))
                .containsExactly(0xe220a8397b1dcdafL, 0x6e789e6aa1b965f4L, 0x06c45d188009454fL);
        List<Integer> seen = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            seen.add(rng.nextInt(3));
        }
        assertThat(seen).contains(0, 1, 2).doesNotContain(-1, 3);
    }
}
