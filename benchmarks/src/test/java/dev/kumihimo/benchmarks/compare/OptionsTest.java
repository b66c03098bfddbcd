package dev.kumihimo.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OptionsTest {
    private static final Path HOME = Path.of("benchmarks");

    @Test
    void nineRoundsOfEverythingAreTheDefault() {
        var options = Options.parse(HOME);
        assertThat(options.rounds()).isEqualTo(9);
        assertThat(options.columns()).isEqualTo(Column.NAMES);
        assertThat(options.experiments()).isEqualTo(Experiment.ALL);
    }

    @Test
    void quickIsOneShortIteration() {
        var options = Options.parse(HOME, "--quick");
        assertThat(options.rounds()).isEqualTo(1);
        assertThat(options.warmUpMillis() + options.measureMillis()).isZero();
        assertThat(options.iterations()).isEqualTo(1);
    }

    @Test
    void workloadsAreSelectedByARegularExpression() {
        assertThat(Options.parse(HOME, "--workloads", "^channel_.*cap1$").experiments())
                .extracting(Experiment::name)
                .containsExactly("channel_1x1_cap1");
    }

    @Test
    void whatIsWrongIsTold() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Options.parse(HOME, "--rounds", "0"))
                .withMessage("--rounds takes a number of at least 1, not 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Options.parse(HOME, "--rounds"))
                .withMessage("--rounds needs a value");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Options.parse(HOME, "--columns", "jdk,erlang"))
                .withMessageStartingWith("unknown column erlang; there are kumihimo, jdk");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Options.parse(HOME, "--workloads", "nothing_like_it"))
                .withMessage("no workload matches nothing_like_it; see --list");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Options.parse(HOME, "--fast"))
                .withMessage("unknown option --fast; see --help");
    }
}
