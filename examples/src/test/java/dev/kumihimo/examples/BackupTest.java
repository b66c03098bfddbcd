package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class BackupTest {
    private static final int MANY = 500;

    @TempDir
    private Path folder;

    private final Random random = new Random(19);
    private Path source;
    private Path target;

    @BeforeEach
    void folders() throws IOException {
        source = Files.createDirectory(folder.resolve("source"));
        target = folder.resolve("made/by/it");
    }

    private Program backup(String... options) throws Exception {
        String[] arguments = Stream.concat(Stream.of(options), Stream.of(source.toString(), target.toString()))
                .toArray(String[]::new);
        return Program.start(folder, "Backup", arguments);
    }

    private void make(String name, int bytes) throws IOException {
        byte[] content = new byte[bytes];
        random.nextBytes(content);
        Path file = source.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
        Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(1_000_000_000 + bytes)));
    }

    private void makeMany(int many) throws IOException {
        for (int i = 0; i < many; i++) {
            make("d" + i % 10 + "/f" + i, 20_000 + i);
        }
    }

    /** A path, what it is, and what is in it; of files also their times and permissions. */
    private static String described(Path root, Path path) {
        try {
            String name = root.relativize(path).toString();
            if (Files.isSymbolicLink(path)) {
                return name + " -> " + Files.readSymbolicLink(path);
            } else if (Files.isDirectory(path)) {
                return name + "/";
            }
            return name + " " + Files.getLastModifiedTime(path) + " "
                    + PosixFilePermissions.toString(Files.getPosixFilePermissions(path)) + " "
                    + Arrays.hashCode(Files.readAllBytes(path));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Set<String> tree(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            return all.map(path -> described(root, path)).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static long files(Path root) throws IOException {
        if (!Files.exists(root)) {
            return 0;
        }
        try (Stream<Path> all = Files.walk(root)) {
            return all.filter(path -> path.getFileName().toString().startsWith("f"))
                    .count();
        } catch (UncheckedIOException e) {
            return 0; // one that was renamed meanwhile
        }
    }

    @Test
    void aTree_isCopiedAsItIs_andOnceOnly() throws Exception {
        make("empty", 0);
        make("deep/down/three megabytes", 3_000_000);
        make("deep/Täuschung", 1000);
        Files.createDirectory(source.resolve("hollow"));
        Files.createSymbolicLink(source.resolve("link"), Path.of("deep/nowhere"));
        Files.setPosixFilePermissions(source.resolve("empty"), PosixFilePermissions.fromString("r-x--x---"));
        try (Program program = backup()) {
            assertThat(program.ended()).as(program.err()).isZero();
            assertThat(program.out()).endsWith("Backup: 4 copied, 0 there already, 0 errors\n");
        }
        assertThat(tree(target)).isEqualTo(tree(source));

        make("deep/Täuschung", 1001);
        Files.createFile(target.resolve("of its own"));
        try (Program program = backup("--jobs", "1")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).endsWith("Backup: 1 copied, 3 there already, 0 errors\n");
        }
        assertThat(target.resolve("of its own")).exists();
        assertThat(tree(target)).containsAll(tree(source));
    }

    @Test
    void verify_findsWhatSizeAndTimeDoNotTell() throws Exception {
        make("one", 100_000);
        make("two", 100_000);
        try (Program program = backup()) {
            assertThat(program.ended()).isZero();
        }
        Path copy = target.resolve("two");
        FileTime time = Files.getLastModifiedTime(copy);
        byte[] content = Files.readAllBytes(copy);
        content[77_777] ^= 1;
        Files.write(copy, content);
        Files.setLastModifiedTime(copy, time);
        try (Program program = backup()) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).endsWith("Backup: 0 copied, 2 there already, 0 errors\n");
        }
        try (Program program = backup("--verify")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).endsWith("Backup: 1 copied, 1 there already, 0 errors\n");
        }
        assertThat(tree(target)).isEqualTo(tree(source));
    }

    /** Sends it a signal as soon as something is copied; {@return its exit code} */
    private int signalled(String signal) throws Exception {
        try (Program program = backup()) {
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> files(target) > 10 || !program.process().isAlive());
            program.signal(signal);
            return program.ended();
        }
    }

    @ParameterizedTest
    @CsvSource({"KILL, 137", "TERM, 143", "INT, 130"})
    void afterASignal_theNextRunGoesOn(String signal, int status) throws Exception {
        int many = MANY;
        makeMany(many);
        int ended = signalled(signal);
        for (int i = 1; i < 5 && files(target) == many; i++) { // all was copied before the signal came
            new ProcessBuilder("rm", "-r", target.toString()).start().waitFor();
            many *= 2;
            makeMany(many);
            ended = signalled(signal);
        }
        assertThat(ended).isEqualTo(status);
        long before = files(target);
        assertThat(before).isBetween(1L, many - 1L);
        assertThat(tree(source))
                .containsAll(tree(target).stream()
                        .filter(line -> !line.contains(".part "))
                        .toList());
        if (!signal.equals("KILL")) {
            assertThat(tree(target)).noneMatch(line -> line.contains(".part "));
        }
        try (Program program = backup()) {
            assertThat(program.ended()).isZero();
            assertThat(program.out())
                    .endsWith("Backup: " + (many - before) + " copied, " + before + " there already, 0 errors\n");
        }
        assertThat(tree(target)).isEqualTo(tree(source));
    }

    @Test
    void whatCannotBeCopied_isListed_andTheRestIsCopied() throws Exception {
        make("fine", 10);
        make("taken", 10);
        make(".backup-1.part", 10);
        new ProcessBuilder("mkfifo", source.resolve("pipe").toString()).start().waitFor();
        Files.createDirectories(target.resolve("taken"));
        try (Program program = backup()) {
            assertThat(program.ended()).isEqualTo(1);
            assertThat(program.out()).endsWith("Backup: 1 copied, 0 there already, 3 errors\n");
            Path from = source.toRealPath();
            assertThat(program.err().lines().filter(line -> line.startsWith("Backup:")))
                    .containsExactly(
                            "Backup: " + from.resolve(".backup-1.part") + ": such names are those of unfinished files",
                            "Backup: " + from.resolve("pipe") + ": is no file, directory or link",
                            "Backup: " + from.resolve("taken") + ": FileAlreadyExists: is a directory");
        }
        assertThat(target.resolve("fine")).exists();
        assertThat(target.resolve("pipe")).doesNotExist();
    }

    /** What was a link is a directory now, and the other way round: nothing is written by way of a link. */
    @Test
    void linksOfTheTarget_areReplaced_andNeverFollowed() throws Exception {
        make("b/f", 10);
        Files.createSymbolicLink(source.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(source.resolve("c"), Path.of("nowhere"));
        try (Program program = backup()) {
            assertThat(program.ended()).isZero();
        }
        Files.delete(source.resolve("a"));
        make("a/f", 20);
        Files.delete(source.resolve("c"));
        make("c", 30);
        try (Program program = backup()) {
            assertThat(program.ended()).as(program.err()).isZero();
        }
        assertThat(tree(target)).isEqualTo(tree(source));
    }

    @Test
    void namesThatAreNoText_areCopiedAsTheyAre() throws Exception {
        new ProcessBuilder("sh", "-c", "printf one > \"$(printf '\\377')\"; printf two > \"$(printf '\\376')\"")
                .directory(source.toFile())
                .start()
                .waitFor();
        try (Program program = backup()) {
            assertThat(program.ended()).as(program.err()).isZero();
            assertThat(program.out()).endsWith("Backup: 2 copied, 0 there already, 0 errors\n");
        }
        assertThat(new ProcessBuilder("diff", "-r", source.toString(), target.toString())
                        .start()
                        .waitFor())
                .isZero();
    }

    @Test
    void whatCannotBeRead_isToldByItsOwnName() throws Exception {
        make("fine", 10);
        make("d/f", 10);
        Files.createDirectories(target);
        Files.createFile(target.resolve("d")); // in the way of the directory, and so of what is in it
        try (Program program = backup()) {
            assertThat(program.ended()).isEqualTo(1);
            assertThat(program.out()).endsWith("Backup: 1 copied, 0 there already, 2 errors\n");
            Path from = source.toRealPath();
            assertThat(program.err())
                    .contains("Backup: " + from.resolve("d") + ": ", "Backup: " + from.resolve("d/f") + ": ");
        }
    }

    @Test
    void aBar_isDrawnWhereItIsAskedFor() throws Exception {
        make("one", 2_000_000);
        try (Program program = backup("--progress", "bar")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).contains("\r[##############################] 100 %  1 of 1 files, 2.0 of 2.0 MB");
        }
    }

    @Test
    void elsewhereThanOnATerminal_progressIsInLines() throws Exception {
        make("one", 2_000_000);
        try (Program program = backup()) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).doesNotContain("\r").doesNotContain("\033");
        }
    }

    @Test
    void aTargetInTheSource_isRefused() throws Exception {
        make("one", 1);
        target = source.resolve("copy");
        try (Program program = backup()) {
            assertThat(program.ended()).isEqualTo(1);
            assertThat(program.err()).contains("one must not be in the other");
        }
        assertThat(target).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "'', 2, a source and a target",
        "a, 2, a source and a target",
        "a b c, 2, \"c\"",
        "--jobs 0 a b, 2, \"0\"",
        "--progress loud a b, 2, \"loud\"",
        "--bad a b, 2, \"--bad\"",
        "/no/such/folder b, 1, /no/such/folder"
    })
    void badArguments_areOneSentence(String arguments, int status, String told) throws Exception {
        String[] split = arguments.isEmpty() ? new String[0] : arguments.split(" ");
        try (Program program = Program.start(folder, "Backup", split)) {
            assertThat(program.ended()).isEqualTo(status);
            assertThat(program.err()).hasLineCount(1).contains(told);
            assertThat(program.out()).isEmpty();
        }
    }

    @Test
    void help_tellsTheUsage() throws Exception {
        try (Program program = Program.start(folder, "Backup", "--help")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).contains("usage: Backup", "--jobs", "--verify", "--progress", "exit code");
        }
    }
}
