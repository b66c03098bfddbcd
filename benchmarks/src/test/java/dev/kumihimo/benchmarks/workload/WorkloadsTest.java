package dev.kumihimo.benchmarks.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayDeque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class WorkloadsTest {
    /** Every workload checks what arrives and ends only when all of it has. */
    @ParameterizedTest
    @ValueSource(strings = {"kumihimo", "jdk", "jox", "abq_kumihimo", "ltq_jdk", "ltq_kumihimo"})
    void everyColumnCarriesOutJoxsWorkloads(String column) throws Exception {
        try (var workloads = Workloads.of(column)) {
            assertThat(workloads.names())
                    .contains("park_ping_pong", "channel_1x1_cap100", "rendezvous", "chained_10000_cap0")
                    .contains("parallel_10000_cap0", "parallel_10000_cap100");
            for (var name : new String[] {"chained_10000_cap0", "parallel_10000_cap16", "rendezvous"}) {
                workloads.onRootTask(() -> {
                    workloads.workload(name).run(20_000);
                    return true;
                });
            }
        }
    }

    /** All bytes arrive, and all handshakes come to their end. */
    @ParameterizedTest
    @ValueSource(strings = {"kumihimo", "jdk", "netty_nio"})
    void everyColumnWithTlsCarriesOutItsWorkloads(String column) throws Exception {
        try (var workloads = Workloads.of(column)) {
            for (var name : List.of("tls_bulk", "tls_handshake", "tls_resume")) {
                workloads.onRootTask(() -> {
                    workloads.workload(name).run(80);
                    return true;
                });
            }
        }
    }

    /** Timeouts that do not strike, sleeps that do not end early, items that come out once and when they are due. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "kumihimo timeout timeout_1000 sleep delay_queue",
                "jdk timeout timeout_1000 sleep delay_queue",
                "stpe sleep delay_queue",
                "netty_wheel timeout timeout_1000 sleep delay_queue"
            })
    void everyColumnWithTimersCarriesOutItsWorkloads(String columnAndNames) throws Exception {
        var words = List.of(columnAndNames.split(" "));
        try (var workloads = Workloads.of(words.getFirst())) {
            for (var name : words.subList(1, words.size())) {
                workloads.onRootTask(() -> {
                    workloads.workload(name).run(5_000);
                    return true;
                });
            }
        }
    }

    @Test
    void aSleepThatEndsEarlyOrNotAtAllIsFound() {
        var early = Sleeps.of(VirtualThreads::new, nanos -> {});
        assertThatIllegalStateException().isThrownBy(() -> early.run(1)).withMessageContaining("early");
        var never = new Sleeps() {
            @Override
            void sleep(int tasks, int each) {}
        };
        assertThatIllegalStateException().isThrownBy(() -> never.run(1)).withMessageContaining("not at all");
    }

    @Test
    void anItemThatComesOutWrongIsFound() {
        var early = new DelayQueues<>(() -> queueOf(new ArrayDeque<>()));
        assertThatIllegalStateException().isThrownBy(() -> early.run(5)).withMessageContaining("early");
    }

    /** Hands out at once. */
    private static DelayQueues.Queue<Integer> queueOf(ArrayDeque<Integer> items) {
        return new DelayQueues.Queue<>() {
            @Override
            public Integer insert(Integer item, long nanos) {
                items.add(item);
                return item;
            }

            @Override
            public boolean remove(Integer key) {
                return items.remove(key);
            }

            @Override
            public boolean reset(Integer key, long nanos) {
                return true;
            }

            @Override
            public Integer take() {
                return items.remove();
            }
        };
    }

    @Test
    void aDelayIsNeverNegative() throws Exception {
        try (var workloads = Workloads.of("kumihimo")) {
            var probe = workloads.probe("delay_full_channel_2w");
            assertThat(probe).isNotNull();
            assertThat(probe.measure(5))
                    .containsOnlyKeys(
                            "delay_full_channel_2w_spawn",
                            "delay_full_channel_2w_blocking",
                            "delay_full_channel_2w_timer",
                            "delay_full_channel_2w_max")
                    .allSatisfy((name, millis) -> assertThat(millis).isNotNegative());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"kumihimo", "jdk"})
    void noTimerIsEarly(String column) throws Exception {
        try (var workloads = Workloads.of(column)) {
            var probe = workloads.probe("timers_million");
            assertThat(probe).isNotNull();
            assertThat(probe.measure(500))
                    .containsOnlyKeys("timers_million_p999", "timers_million_max")
                    .allSatisfy((name, millis) -> assertThat(millis).isPositive());
        }
    }

    @Test
    void aPercentileIsTheSampleThatSoManyDoNotExceed() {
        var samples = new long[200];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = 200L - i;
        }
        assertThat(Delays.ofHundred(99, samples)).isEqualTo(198);
        assertThat(Delays.ofHundred(100, samples)).isEqualTo(200);
        assertThat(Delays.ofHundred(99, new long[] {7})).isEqualTo(7);
        assertThat(Delays.ofThousand(999, samples)).isEqualTo(200);
        assertThat(Delays.ofThousand(0, samples)).isEqualTo(1);
    }
}
