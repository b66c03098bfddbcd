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
    void targetsOnlyLeavesOutWhatNoTargetNames() {
        var options = Options.parse(HOME, "--targets-only");
        assertThat(options.experiments())
                .allMatch(Experiment::hasTarget)
                .extracting(Experiment::name)
                .contains("joinset", "delay_yielding_1w", "http_hello_64")
                .doesNotContain("unbounded_1x1", "chained_10000_cap0", "sleep", "delay_queue");
        var joinSet = options.experiments().stream()
                .filter(experiment -> experiment.name().equals("joinset"))
                .findFirst()
                .orElseThrow();
        assertThat(Column.NAMES)
                .filteredOn(column -> options.wants(joinSet, column))
                .containsExactly("kumihimo", "tokio");
        assertThat(Column.NAMES).allMatch(column -> Options.parse(HOME).wants(joinSet, column));
    }

    @Test
    void aSharedProcessIsWarmedUpForLess() {
        assertThat(Options.parse(HOME).shared()).isFalse();
        assertThat(Options.parse(HOME, "--quick").shared()).isTrue();
        assertThat(Options.parse(HOME, "--shared").warmUpMillis())
                .isPositive()
                .isLessThan(Options.parse(HOME).warmUpMillis());
        assertThat(Options.parse(HOME, "--shared", "--warm-up", "1234").warmUpMillis())
                .isEqualTo(1_234);
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
