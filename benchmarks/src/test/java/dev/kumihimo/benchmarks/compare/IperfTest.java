package dev.kumihimo.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class IperfTest {
    @Test
    void whatArrivedIsReadFromTheEndOfTheReport() throws Exception {
        var load = Iperf.load("""
                {"end": {
                    "sum_sent": { "start": 0, "end": 2.0, "seconds": 2.0, "bytes": 999, "bits_per_second": 1 },
                    "sum_received": {
                        "start": 0,
                        "end": 2.0,
                        "seconds": 2.5,
                        "bytes": 5000000000,
                        "bits_per_second": 1.6e+10
                    }
                }}""");
        assertThat(load.bytes()).isEqualTo(5_000_000_000L);
        assertThat(load.megabytesPerSecond()).isEqualTo(2_000);
    }

    @Test
    void whatIsWrongIsTold() {
        assertThatThrownBy(() -> Iperf.load("{ \"error\": \"unable to connect\" }"))
                .isInstanceOf(IOException.class)
                .hasMessage("iperf3: unable to connect");
        assertThatThrownBy(() -> Iperf.load("nothing")).hasMessage("not understood: nothing");
    }
}
