package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CronTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Pattern SKIPPED = Pattern.compile("[1-9][0-9]* skipped");

    @TempDir
    private Path folder;

    private Program cron(String... arguments) throws Exception {
        return Program.start(folder, "Cron", arguments);
    }

    private static long count(String text, String ending) {
        return text.lines().filter(line -> line.endsWith(ending)).count();
    }

    @Test
    void severalJobs_runAgainAndAgain() throws Exception {
        try (Program program = cron("200ms echo one", "300ms~100ms echo two; exit 3")) {
            await().atMost(PATIENCE)
                    .until(() -> count(program.out(), "job 1: one") > 1
                            && count(program.out(), "job 2: two") > 1
                            && count(program.out(), "job 2: failed: exit code 3") > 1);
            program.signal("TERM");
            assertThat(program.ended()).isZero();
            assertThat(program.out()).contains(" 0 failed, ").doesNotContain("its time is over");
        }
    }

    @Test
    void theTimeItIsGiven_endsIt() throws Exception {
        try (Program program = cron("--for", "500ms", "200ms echo one")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).contains("its time is over", "job 1: ended ");
        }
    }

    /** A command tells when it begins and ends: what lies between must not overlap unless it was asked for. */
    @ParameterizedTest
    @CsvSource({"skip, false", "queue, false", "overlap, true"})
    void anOverrun_isTreatedByThePolicy(String policy, boolean overlaps) throws Exception {
        Path log = folder.resolve("log");
        String command = "echo b >> " + log + "; sleep 0.5; echo e >> " + log;
        try (Program program = cron("100ms/" + policy + " " + command)) {
            await().atMost(PATIENCE).until(() -> Files.exists(log) && count(Files.readString(log), "e") > 1);
            if (policy.equals("skip")) {
                await().atMost(PATIENCE).until(() -> {
                    program.signal("HUP");
                    return SKIPPED.matcher(program.out()).find();
                });
            } else if (overlaps) {
                await().atMost(PATIENCE).until(() -> Files.readString(log).contains("b\nb"));
            }
            program.signal("TERM"); // which lets what runs end
            assertThat(program.ended()).isZero();
            String order = String.join("", Files.readAllLines(log));
            assertThat(order.contains("bb")).as(order).isEqualTo(overlaps);
            assertThat(order.chars().filter(c -> c == 'b').count())
                    .isEqualTo(order.chars().filter(c -> c == 'e').count())
                    .isGreaterThan(1);
            assertThat(program.out())
                    .containsPattern(policy.equals("skip") ? SKIPPED : Pattern.compile(" 0 skipped"))
                    .contains(" 0 failed");
        }
    }

    @Test
    void killPolicy_endsTheRunThatIsInTheWay_withWhatItHasStarted() throws Exception {
        Path pids = folder.resolve("pids");
        Path second = folder.resolve("second");
        String command = "if [ -e " + pids + " ]; then touch " + second + "; exit; fi; sleep 1000 & echo $! > " + pids
                + ".new; mv " + pids + ".new " + pids + "; wait";
        try (Program program = cron("300ms/kill " + command)) {
            await().until(() -> Files.exists(second));
            long sleeper = Long.parseLong(Files.readString(pids).strip());
            await().until(() ->
                    ProcessHandle.of(sleeper).map(ProcessHandle::isAlive).orElse(false) == false);
            program.signal("TERM");
            assertThat(program.ended()).isZero();
            assertThat(program.out()).containsPattern("[1-9][0-9]* killed");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void aSignal_letsWhatRunsEnd(String signal) throws Exception {
        Path begun = folder.resolve("begun");
        Path go = folder.resolve("go");
        String command = "touch " + begun + "; until [ -e " + go + " ]; do sleep 0.05; done; echo to the end";
        try (Program program = cron("1h " + command)) {
            await().until(() -> Files.exists(begun));
            program.signal(signal);
            program.awaitErr("SIG" + signal);
            Files.createFile(go);
            assertThat(program.ended()).isZero();
            assertThat(program.out()).contains("job 1: to the end").contains("1 runs, 0 failed");
        }
    }

    @Test
    void aSecondSignal_endsItAtOnce() throws Exception {
        Path begun = folder.resolve("begun");
        Path go = folder.resolve("go");
        String command = "touch " + begun + "; until [ -e " + go + " ]; do sleep 0.05; done";
        try (Program program = cron("1h " + command)) {
            await().until(() -> Files.exists(begun));
            program.signal("TERM");
            program.awaitErr("SIGTERM");
            program.signal("TERM");
            assertThat(program.ended()).isEqualTo(143);
        } finally {
            Files.createFile(go); // ends the command, which nobody has ended
        }
    }

    @Test
    void hangup_tellsTheCounts() throws Exception {
        try (Program program = cron("1h echo once")) {
            program.awaitOut("job 1: once");
            program.signal("HUP");
            program.awaitOut("job 1: so far 1 runs, 0 failed, 0 skipped, 0 killed: echo once");
            program.signal("TERM");
            assertThat(program.ended()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', no job",
        "--for 0s, \"0s\"",
        "--for, \"nothing\"",
        "--bad, \"--bad\"",
        "1s, \"1s\"",
        "1x_true, \"1x\"",
        "0s_true, \"0s\"",
        "1s~1s_true, shorter",
        "1s/never_true, \"never\""
    })
    void badArguments_areOneSentence(String arguments, String told) throws Exception {
        String[] split = arguments.isEmpty() ? new String[0] : arguments.split(" ");
        for (int i = 0; i < split.length; i++) {
            split[i] = split[i].replace('_', ' ');
        }
        try (Program program = cron(split)) {
            assertThat(program.ended()).isEqualTo(2);
            assertThat(program.err()).hasLineCount(1).contains(told);
            assertThat(program.out()).isEmpty();
        }
    }

    @Test
    void help_tellsTheUsage() throws Exception {
        try (Program program = cron("--help")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).contains("usage: Cron", "overlap", "SIGHUP", "--for");
        }
    }
}
