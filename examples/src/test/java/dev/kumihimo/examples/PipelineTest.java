package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class PipelineTest {
    private static final int SIGINT_STATUS = 130;

    @TempDir
    private Path folder;

    private static String digested(String line) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(line.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest) + "  " + line;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 100})
    void generatedLines_areAllDigestedOnce(int workers) throws Exception {
        try (Program program =
                Program.start(folder, "Pipeline", "--workers", Integer.toString(workers), "--lines", "1000")) {
            assertThat(program.ended()).isZero();
            assertThat(program.complaints()).isEqualTo("Pipeline: 1000 lines in, 1000 lines out");
            List<String> expected = new ArrayList<>();
            for (int i = 1; i <= 1000; i++) {
                expected.add(digested("line " + i));
            }
            List<String> written = program.out().lines().toList();
            assertThat(written).containsExactlyInAnyOrderElementsOf(expected);
            if (workers == 1) {
                assertThat(written).isEqualTo(expected);
            }
        }
    }

    @Test
    void aFile_isDigestedLineByLine() throws Exception {
        Path file = Files.writeString(folder.resolve("input"), "ein Täuschungsmanöver\n\nohne Ende");
        try (Program program = Program.start(folder, "Pipeline", file.toString())) {
            assertThat(program.ended()).isZero();
            assertThat(program.err()).contains("3 lines in, 3 lines out");
            assertThat(program.out().lines())
                    .containsExactlyInAnyOrder(digested("ein Täuschungsmanöver"), digested(""), digested("ohne Ende"));
        }
    }

    @Test
    void standardInput_isDigested_asItComes() throws Exception {
        try (Program program = Program.start(folder, "Pipeline", "-");
                OutputStream input = program.process().getOutputStream()) {
            input.write("first\n".getBytes(StandardCharsets.UTF_8));
            input.flush();
            program.awaitOut(digested("first")); // before the input ends
            input.write("second\n".getBytes(StandardCharsets.UTF_8));
            input.close();
            assertThat(program.ended()).isZero();
            assertThat(program.complaints()).isEqualTo("Pipeline: 2 lines in, 2 lines out");
            assertThat(program.out()).isEqualTo(digested("first") + "\n" + digested("second") + "\n");
        }
    }

    @Test
    void sigint_endsTheReading_andAllThatWasReadFlowsOut() throws Exception {
        try (Program program = Program.start(folder, "Pipeline", "--lines", "1000000000")) {
            program.awaitOut("line 1000\n");
            program.signal("INT");
            assertThat(program.ended()).isEqualTo(SIGINT_STATUS);
            Matcher counts = Pattern.compile("Pipeline: (\\d+) lines in, (\\d+) lines out\n")
                    .matcher(program.err());
            assertThat(counts.find()).as(program.err()).isTrue();
            assertThat(counts.group(1)).isEqualTo(counts.group(2));
            assertThat(program.out().lines().count()).isEqualTo(Long.parseLong(counts.group(2)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void signal_endsItAtOnce_whileItWaitsForInput(String signal) throws Exception {
        try (Program program = Program.start(folder, "Pipeline", "-");
                OutputStream input = program.process().getOutputStream()) {
            input.write("only\n".getBytes(StandardCharsets.UTF_8));
            input.flush();
            program.awaitOut(digested("only"));
            program.signal(signal);
            assertThat(program.ended()).isEqualTo(signal.equals("INT") ? SIGINT_STATUS : 143);
            assertThat(program.err()).contains("1 lines in, 1 lines out").doesNotContain("lost");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--lines x, 2, \"x\"",
        "--lines, 2, \"nothing\"",
        "--workers 0 -, 2, from 1 on",
        "--bad, 2, \"--bad\"",
        "'', 2, no input",
        "--lines 1 -, 2, more than one",
        "/no/such/file, 1, /no/such/file",
        "/, 1, directory"
    })
    void badArguments_areOneSentence(String arguments, int status, String told) throws Exception {
        String[] split = arguments.isEmpty() ? new String[0] : arguments.split(" ");
        try (Program program = Program.start(folder, "Pipeline", split)) {
            assertThat(program.ended()).isEqualTo(status);
            assertThat(program.err()).hasLineCount(1).contains(told);
            assertThat(program.out()).isEmpty();
        }
    }

    @Test
    void help_tellsTheUsage() throws Exception {
        try (Program program = Program.start(folder, "Pipeline", "--help")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out())
                    .contains("usage: Pipeline")
                    .contains("--lines")
                    .contains("--workers");
        }
    }
}
