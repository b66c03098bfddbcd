package dev.kumihimo.fs;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.support.TaskProbe;
import java.io.BufferedReader;
import java.io.StringReader;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.Charset;
import java.nio.charset.MalformedInputException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines of files: which they are, and what they cost. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LinesTest extends FileTest {
    private List<String> linesOf(Path file, Charset charset) throws Exception {
        List<String> found = new ArrayList<>();
        inTask(() -> {
            try (Lines lines = Fs.lines(file, charset)) {
                lines.forEach(found::add);
                assertThat(lines.nextOrNull()).isNull();
                assertThat(lines.lineNumber()).isEqualTo(found.size());
            }
        });
        return found;
    }

    @Test
    void lines_endWithAnyOfTheThree_orWithTheFile() throws Exception {
        Path file = dir.resolve("file");
        Files.writeString(file, "a\nb\r\nc\r\r\n\n\nd");
        assertThat(linesOf(file, UTF_8)).containsExactly("a", "b", "c", "", "", "", "d");
        Files.writeString(file, "");
        assertThat(linesOf(file, UTF_8)).isEmpty();
        Files.writeString(file, "\r\n");
        assertThat(linesOf(file, UTF_8)).containsExactly("");
        Files.writeString(file, "a\r");
        assertThat(linesOf(file, UTF_8)).containsExactly("a");
    }

    /** Against the JDK's reader, with lines, ends and characters of several bytes across all boundaries. */
    @ParameterizedTest
    @ValueSource(strings = {"UTF-8", "UTF-16", "ISO-8859-1", "Shift_JIS"})
    void lines_areThoseOfABufferedReader_inEachCharset(String name) throws Exception {
        Charset charset = Charset.forName(name);
        String[] pieces = charset == UTF_8 || charset == UTF_16
                ? new String[] {"\r", "\n", "\r\n", "x", "\u00e9", "\u3042", "\ud83d\ude00", "\ufffd", "abc"}
                : charset == ISO_8859_1
                        ? new String[] {"\r", "\n", "\r\n", "x", "\u00e9", "abc"}
                        : new String[] {"\r", "\n", "\r\n", "x", "\u3042", "\u8868", "abc"};
        Path file = dir.resolve("file");
        Random random = new Random(42);
        for (int round = 0; round < 40; round++) {
            StringBuilder text = new StringBuilder("y".repeat(random.nextInt(20)));
            int size = random.nextInt(round < 30 ? 40_000 : 300_000);
            int shortest = random.nextInt(4) == 0 ? 3 : 0; // few ends: long lines
            while (text.length() < size) {
                int i = random.nextInt(50) == 0
                        ? random.nextInt(3)
                        : shortest + random.nextInt(pieces.length - shortest);
                text.append(pieces[i]);
            }
            Files.write(file, text.toString().getBytes(charset));
            List<String> expected = new BufferedReader(new StringReader(text.toString()))
                    .lines()
                    .toList();
            assertThat(linesOf(file, charset)).as("round %d", round).isEqualTo(expected);
        }
    }

    @Test
    void aMillionLines_costSomeHundredsOfJobs() throws Exception {
        Path file = dir.resolve("file");
        byte[] line = "0123456789012345678901234567890123456789012345678\n".getBytes(UTF_8);
        byte[] all = new byte[1_000_000 * line.length];
        for (int i = 0; i < all.length; i += line.length) {
            System.arraycopy(line, 0, all, i, line.length);
        }
        Files.write(file, all);
        int[] count = new int[1];
        long jobs = jobsOf(() -> {
            try (Lines lines = Fs.lines(file)) {
                lines.forEach(each -> count[0]++);
            }
        });
        assertThat(count[0]).isEqualTo(1_000_000);
        assertThat(jobs).isEqualTo(all.length / (128 * 1024) + 1);
    }

    @Test
    void aSmallFile_costsOneJob() throws Exception {
        Path file = Files.writeString(dir.resolve("file"), "a\nb\nc\n");
        assertThat(jobsOf(() -> {
                    try (Lines lines = Fs.lines(file)) {
                        assertThat(openFiles()).isEmpty();
                        lines.forEach(line -> {});
                    }
                }))
                .isOne();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFileWithoutASize_isReadToItsEnd() throws Exception {
        Path mounts = Path.of("/proc/self/mounts");
        assertThat(linesOf(mounts, ISO_8859_1)).isEqualTo(Files.readAllLines(mounts, ISO_8859_1));
    }

    @Test
    void malformedInput_isToldWithItsLine_afterThoseBefore_andAgain() throws Exception {
        Path file = dir.resolve("file");
        Files.write(file, new byte[] {'a', '\n', 'b', '\n', 'c', (byte) 0xff, '\n', 'd'});
        inTask(() -> {
            try (Lines lines = Fs.lines(file)) {
                assertThat(lines.nextOrNull()).isEqualTo("a");
                assertThat(lines.nextOrNull()).isEqualTo("b");
                for (int i = 0; i < 2; i++) {
                    assertThatExceptionOfType(FileSystemException.class)
                            .isThrownBy(lines::nextOrNull)
                            .withMessage(file + ": line 3 is not valid UTF-8")
                            .withCauseInstanceOf(MalformedInputException.class);
                }
            }
        });
        Files.write(file, new byte[] {'a', '\n', 'b', (byte) 0xe3, (byte) 0x81}); // cut off in a character
        inTask(() -> {
            try (Lines lines = Fs.lines(file)) {
                assertThat(lines.nextOrNull()).isEqualTo("a");
                assertThatExceptionOfType(FileSystemException.class)
                        .isThrownBy(lines::nextOrNull)
                        .withMessage(file + ": line 2 is not valid UTF-8");
            }
        });
    }

    @Test
    void aLineThatIsTooLong_isTold_beforeItIsAllInMemory() throws Exception {
        Path file = dir.resolve("file");
        Files.writeString(file, "ok\n12345\r\n123456\nok");
        inTask(() -> {
            try (Lines lines = Fs.lines(file).maxLength(5)) {
                assertThat(lines.nextOrNull()).isEqualTo("ok");
                assertThat(lines.nextOrNull()).isEqualTo("12345");
                for (int i = 0; i < 2; i++) {
                    assertThatExceptionOfType(FileSystemException.class)
                            .isThrownBy(lines::nextOrNull)
                            .withMessage(file + ": line 3 is longer than 5 characters");
                }
                assertThat(lines.maxLength(6).nextOrNull()).isEqualTo("123456");
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> lines.maxLength(0))
                        .withMessage("chars=0 must be at least 1");
            }
        });
        Files.writeString(file, "x".repeat(10_000_000));
        long jobs = jobsOf(() -> {
            try (Lines lines = Fs.lines(file).maxLength(1_000_000)) {
                assertThatExceptionOfType(FileSystemException.class).isThrownBy(lines::nextOrNull);
            }
        });
        assertThat(jobs).isEqualTo(1_000_000 / (128 * 1024) + 1 + 1); // and one to close it
    }

    @Test
    void nextOrNull_onAClosedReader_saysSo() throws Exception {
        Path file = Files.writeString(dir.resolve("file"), "a\nb\n");
        inTask(() -> {
            Lines lines = Fs.lines(file);
            lines.close();
            lines.close();
            assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(lines::nextOrNull);
        });
    }

    @Test
    void close_inTheMiddle_closesTheFile() throws Exception {
        Path file = Files.writeString(dir.resolve("file"), "a line\n".repeat(100_000));
        inTask(() -> {
            Lines lines = Fs.lines(file);
            assertThat(lines.nextOrNull()).isEqualTo("a line");
            lines.close();
            assertThat(openFiles()).isEmpty();
        });
    }

    @Test
    void nextOrNull_cancelledWhileItsJobIsQueued_takesNoLine() throws Exception {
        Path file = dir.resolve("file");
        List<String> all = IntStream.range(0, 50_000).mapToObj(i -> "line " + i).toList();
        Files.write(file, all);
        List<String> found = new ArrayList<>();
        Lines lines = Fs.lines(file);
        int struck = 0;
        for (boolean ended = false; !ended; struck++) {
            Occupier occupier = new Occupier().untilItHolds();
            TaskProbe<Boolean> task = TaskProbe.spawn(runtime, () -> {
                        for (String line; (line = lines.nextOrNull()) != null; ) {
                            found.add(line);
                        }
                        Task.sleep(LONG);
                        return true;
                    })
                    .untilParked();
            ended = found.size() == all.size();
            task.handle().abort();
            task.handle().result(LONG);
            occupier.release();
            // one more batch, so that the next round strikes elsewhere
            String line = lines.nextOrNull();
            if (line != null) {
                found.add(line);
            }
        }
        lines.close();
        assertThat(struck).isGreaterThan(3);
        assertThat(found).isEqualTo(all);
    }

    @Test
    void linesInMemory_areGivenWithoutWaiting_butACancelledTaskLooksFromTimeToTime() throws Exception {
        Path file = Files.writeString(dir.resolve("file"), "a line\n".repeat(1_000));
        int[] given = new int[1];
        try (Lines lines = Fs.lines(file)) {
            TaskProbe<Boolean> task = TaskProbe.spawn(runtime, () -> {
                        try {
                            Task.sleep(LONG);
                        } catch (InterruptedException e) {
                            lines.forEach(line -> given[0]++);
                        }
                        return true;
                    })
                    .untilParked();
            task.handle().abort();
            task.handle().result(LONG);
        }
        assertThat(given[0]).isBetween(1, 128);
    }
}
