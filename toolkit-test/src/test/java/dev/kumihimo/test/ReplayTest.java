package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.VoidBody;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run is had again from its trace, and where it cannot be, that is said. */
@Timeout(30)
class ReplayTest {
    @TempDir
    Path directory;

    @AfterEach
    void clear() {
        System.clearProperty(Replays.PROPERTY);
        System.clearProperty(Replays.DIRECTORY);
        System.clearProperty(Seeds.PROPERTY);
    }

    /** Tasks that note in which order they ran. */
    private static List<String> notes(TestRuntime test, int tasks) throws Exception {
        List<String> notes = new ArrayList<>();
        test.run(() -> {
            List<JoinHandle<?>> all = new ArrayList<>();
            for (int i = 0; i < tasks; i++) {
                int number = i;
                all.add(Task.spawn(() -> {
                    for (int k = 0; k < 3; k++) {
                        notes.add(number + "." + k);
                        Task.yieldNow();
                    }
                }));
            }
            for (JoinHandle<?> each : all) {
                each.join();
            }
        });
        return notes;
    }

    private static String failingTrace() throws Exception {
        for (int seed = 0; ; seed++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                test.run(Races::lostUpdate);
            } catch (AssertionError e) {
                try (TestRuntime test = TestRuntime.seeded(seed)) {
                    test.run(Races::lostUpdate);
                } catch (AssertionError again) {
                    String told = again.getSuppressed()[0].getMessage();
                    int at = told.indexOf("Strategy.replay(\"") + "Strategy.replay(\"".length();
                    return told.substring(at, told.indexOf('"', at));
                }
            }
        }
    }

    @Test
    void trace_hasTheRunAgain_withManyTasksToo() throws Exception {
        for (int tasks : new int[] {2, 5, 40}) {
            try (TestRuntime first = TestRuntime.seeded(tasks)) {
                List<String> notes = notes(first, tasks);
                assertThat(first.trace()).startsWith("k3:");
                try (TestRuntime second =
                        TestRuntime.builder().replay(first.trace()).build()) {
                    assertThat(notes(second, tasks)).isEqualTo(notes);
                    assertThat(second.traceHash()).isEqualTo(first.traceHash());
                    assertThat(second.trace()).isEqualTo(first.trace());
                }
            }
        }
    }

    @Test
    void trace_readsBack_asItWasWritten() {
        int[] numbers = {0, 3, 2, 0, 1, 300, 1, 70_000, 69_999, 2, 9, 8, 1, 2, 3, 4, 5, 6, 7, 8, 65_535};
        Traces.Trace trace = Traces.decode(Traces.encode(0x8000_0001_ffff_fffeL, numbers, numbers.length));
        assertThat(trace.data()).isEqualTo(0x8000_0001_ffff_fffeL);
        List<Record.Choice> choices = trace.choices();
        assertThat(choices).isEqualTo(Record.read(numbers, numbers.length)).hasSize(3);
        assertThat(choices.get(1)).isEqualTo(new Record.Choice(Record.DRAW, 70_000, 69_999, List.of(), 0));
        assertThat(choices.get(2).check()).isEqualTo(65_535);
    }

    @Test
    void trace_thatIsNone_isRefused() throws Exception {
        assertThatThrownBy(() -> Explore.replay("k1:0011"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must begin with k3:");
        String good = failingTrace();
        for (int end : new int[] {4, good.length() / 2, good.length() - 2}) {
            assertThatThrownBy(() -> Explore.replay(good.substring(0, end)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("damaged");
        }
        assertThatThrownBy(() -> Explore.replay("k3:???")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void explore_replaysATrace_andNothingElse() throws Exception {
        String trace = failingTrace();
        AtomicInteger runs = new AtomicInteger();
        assertThatThrownBy(() -> Explore.replay(trace).shrink(Duration.ZERO).run(() -> {
                    runs.incrementAndGet();
                    Races.lostUpdate();
                }))
                .isInstanceOf(ScheduleError.class)
                .hasCauseInstanceOf(AssertionError.class);
        assertThat(runs).hasValue(1);
    }

    private static void assertOnlyTheTraceIsRun() {
        for (Explore explore :
                List.of(Explore.seeds(5), Explore.preemptions(1), Explore.pct(5, 2), Explore.portfolio(5))) {
            AtomicInteger runs = new AtomicInteger();
            assertThatThrownBy(() -> explore.shrink(Duration.ZERO).run(() -> {
                        runs.incrementAndGet();
                        Races.lostUpdate();
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageStartingWith("schedule 1")
                    .hasMessageContaining("(replay) failed");
            assertThat(runs).hasValue(1);
        }
        try (TestRuntime test = TestRuntime.seeded()) {
            assertThatThrownBy(() -> test.run(Races::lostUpdate)).isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void property_withATrace_isReplayed() throws Exception {
        System.setProperty(Replays.PROPERTY, failingTrace());
        assertOnlyTheTraceIsRun();
    }

    @Test
    void property_withTheNameOfAFile_isReplayed() throws Exception {
        Path file = directory.resolve("failed.trace");
        Files.writeString(file, "# of yesterday\n\n" + failingTrace() + "\n# seed 5\n");
        System.setProperty(Replays.PROPERTY, file.toString());
        assertOnlyTheTraceIsRun();
    }

    @Test
    void property_withNeither_isRefused() throws Exception {
        System.setProperty(Replays.PROPERTY, directory.resolve("none").toString());
        assertThatThrownBy(() -> Explore.seeds(1).run(() -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(Replays.PROPERTY + "=")
                .hasMessageContaining("must be a trace");
        Path empty = Files.writeString(directory.resolve("empty"), "# nothing\n");
        assertThatThrownBy(() -> Replays.read(Replays.VARIABLE, empty.toString()))
                .hasMessageContaining(Replays.VARIABLE)
                .hasMessageContaining("a file without a trace");
    }

    @Test
    void failure_writesItsTrace_whereThePropertySays() throws IOException {
        Path into = directory.resolve("a/b");
        System.setProperty(Replays.DIRECTORY, into.toString());
        ScheduleError error = catchThrowableOfType(
                ScheduleError.class,
                () -> Explore.seeds(200).named("lost: update").run(Races::lostUpdate));
        List<Path> files;
        try (var list = Files.list(into)) {
            files = list.toList();
        }
        assertThat(files).hasSize(1);
        assertThat(files.get(0).getFileName().toString())
                .startsWith("lost-update-")
                .endsWith(".trace");
        assertThat(error.getMessage()).contains("written to " + files.get(0));
        System.clearProperty(Replays.DIRECTORY);
        System.setProperty(Replays.PROPERTY, files.get(0).toString());
        assertThatThrownBy(() -> Explore.seeds(1).run(Races::lostUpdate)).hasCauseInstanceOf(AssertionError.class);
    }

    @Test
    void seedProperty_reducesEachKindToThatSeed() {
        System.setProperty(Seeds.PROPERTY, "0x11");
        assertThat(Explore.seeds(50).run(() -> {}).strategies()).containsOnlyKeys("random");
        Explore.Result pct = Explore.pct(50, 4).run(() -> {});
        assertThat(pct.strategies()).containsOnlyKeys("fifo", "pct(4)");
        Explore.Result all = Explore.portfolio(50).run(() -> {});
        assertThat(all.strategies()).containsOnlyKeys("fifo", "pct(3)"); // its way, whatever seeds are before it
        System.setProperty(Seeds.PROPERTY, "20");
        assertThat(Explore.portfolio(50).run(() -> {}).strategies()).containsOnlyKeys("fifo", "random");
    }

    /* ---------------- Divergence -------------- */

    private static VoidBody<Exception> spawning(int tasks) {
        return () -> {
            List<JoinHandle<?>> all = new ArrayList<>();
            for (int i = 0; i < tasks; i++) {
                all.add(Task.spawn(Task::yieldNow));
            }
            for (JoinHandle<?> each : all) {
                each.join();
            }
        };
    }

    @Test
    void codeThatHasChanged_isToldAtTheChoice_withWhatWasReady() throws Exception {
        String trace;
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(spawning(2));
            trace = test.trace();
        }
        assertThatThrownBy(() -> Explore.replay(trace).run(spawning(3)))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("diverged from the trace at choice ")
                .hasMessageMatching(
                        "(?s).*expected ready at LOCK \\[0, 1, 2\\], and there is at LOCK \\[0, 1, 2, 3\\].*")
                .hasMessageContaining("\"main\"");
    }

    @Test
    void ofManyTasks_thoseThatAreNotWrittenDown_areTold_byTheirHash() {
        List<Entry> entries = new ArrayList<>();
        for (int id = 0; id < 12; id++) {
            Entry entry = new Entry(null, false);
            entry.id = id;
            entries.add(entry);
        }
        Ready ready = new Ready(entries).after(3, null);
        Record record = new Record();
        record.choice(ready, 5);
        Record.Choice written = record.list().get(0);
        assertThat(written.tasks()).hasSize(8);
        assertThat(Record.matches(written, ready)).isTrue();
        entries.get(11).id = 12;
        assertThat(Record.matches(written, ready)).isFalse();
    }

    @Test
    void aRunThatEndsEarly_isTold() throws Exception {
        String trace;
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(spawning(3));
            trace = test.trace();
        }
        assertThatThrownBy(() -> Explore.replay(trace).run(() -> {}))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("diverged from the trace: the run has ended, without a failure, after 0 of its ");
    }

    @Test
    void divergence_tellsTheLastWakeFromOutside() throws Exception {
        String trace;
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(spawning(2));
            trace = test.trace();
        }
        assertThatThrownBy(() -> Explore.replay(trace).run(() -> {
                    Thread main = Thread.currentThread();
                    Task.spawnBlocking(() -> {
                                while (main.getState() != Thread.State.WAITING) { // else it need not be woken
                                    Thread.onSpinWait();
                                }
                            })
                            .join();
                    spawning(3).run();
                }))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("diverged")
                .hasMessageContaining("the last wake from outside was #0 \"main\" by \"test-");
    }

    @Test
    void divergence_inTheMiddleOfAnOperation_leavesNoTask() throws Exception {
        String trace = failingTrace();
        assertThatThrownBy(() -> Explore.replay(trace).run(() -> Races.lostUpdates(2, 3)))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("diverged from the trace at choice ")
                .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());
    }
}
