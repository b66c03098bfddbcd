package dev.kumihimo.benchmarks.workload;

import static org.assertj.core.api.Assertions.assertThat;

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

    @Test
    void aPercentileIsTheSampleThatSoManyDoNotExceed() {
        var samples = new long[200];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = 200L - i;
        }
        assertThat(Delays.ofHundred(99, samples)).isEqualTo(198);
        assertThat(Delays.ofHundred(100, samples)).isEqualTo(200);
        assertThat(Delays.ofHundred(99, new long[] {7})).isEqualTo(7);
    }
}
