package dev.kumihimo.test.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kumihimo.test.OnCarrier;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The cancel matrix: each waiting operation, in each state, struck by each event, at every point of its path and of its
 * peer's. No item is lost or doubled, no permit leaks, no waiter is stuck, and who came first is served first. The system
 * property {@code kumihimo.matrix.rows} has the number of cases printed for each row.
 */
class CancelMatrixTest {
    private static final long SECONDS = 120;
    private static final Set<String> WITHOUT_QUEUE = Set.of("Task.sleep", "Interval.tick");
    private static long cases;
    private static long nanos;
    private static int rows;

    static List<Row> rows() {
        return Stream.of(
                        ChannelRows.all(),
                        BroadcastRows.all(),
                        LockRows.all(),
                        PipeRows.all(),
                        SignalRows.all(),
                        SyncRows.all(),
                        TaskRows.all(),
                        TimeRows.all(),
                        TokenRows.all(),
                        SelectRows.all())
                .flatMap(List::stream)
                .toList();
    }

    @ParameterizedTest
    @MethodSource("rows")
    void operation_isAppliedOrNot_whateverStrikesItAtEachPoint(Row row) throws Exception {
        Matrix matrix = new Matrix();
        long begin = System.nanoTime();
        OnCarrier.call(
                () -> {
                    matrix.run(row);
                    return null;
                },
                SECONDS);
        nanos += System.nanoTime() - begin;
        cases += matrix.cases();
        rows++;
        assertThat(matrix.cases()).isGreaterThan(100);
        assertThat(matrix.queues() > 0 || WITHOUT_QUEUE.contains(row.name())).isTrue();
        if (Boolean.getBoolean("kumihimo.matrix.rows")) {
            System.out.println(
                    "cancel matrix: " + row + ": " + matrix.cases() + " cases, " + matrix.queues() + " queues");
        }
    }

    @AfterAll
    static void print() {
        System.out.println("cancel matrix: " + rows + " operations, " + cases + " cases, "
                + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms");
    }

    @ParameterizedTest
    @EnumSource(value = Planted.Bug.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void matrix_findsABug_thatIsPlantedInAMailbox(Planted.Bug bug) throws Exception {
        assertThat(caught(mailbox(bug))).isInstanceOf(AssertionError.class).hasMessageContaining("at point");
    }

    @ParameterizedTest
    @EnumSource(value = PlantedPermits.Bug.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void matrix_findsABug_thatIsPlantedInPermits(PlantedPermits.Bug bug) throws Exception {
        assertThat(caught(permits(bug))).isInstanceOf(AssertionError.class).hasMessageContaining("at point");
    }

    @Test
    void matrix_findsNoBug_whereNoneIsPlanted() throws Exception {
        assertThat(caught(mailbox(Planted.Bug.NONE))).isNull();
        assertThat(caught(permits(PlantedPermits.Bug.NONE))).isNull();
    }

    private static Row mailbox(Planted.Bug bug) {
        return new Row("a mailbox with a bug: " + bug, s -> new Planted(bug));
    }

    private static Row permits(PlantedPermits.Bug bug) {
        return new Row("permits with a bug: " + bug, s -> new PlantedPermits(bug, s.before()));
    }

    private static Throwable caught(Row row) throws Exception {
        return OnCarrier.call(() -> catchThrowable(() -> new Matrix().run(row)), SECONDS);
    }
}
