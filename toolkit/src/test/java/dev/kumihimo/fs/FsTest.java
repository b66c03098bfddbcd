package dev.kumihimo.fs;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations on whole files and directories. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class FsTest extends FileTest {
    private static final int MEGABYTE = FileWork.STEP_BYTES;

    private void fails(Class<? extends IOException> kind, Path named, ThrowingCallable call) throws Exception {
        inTask(() -> {
            assertThatExceptionOfType(kind).isThrownBy(call).withMessageContaining(named.toString());
        });
    }

    /* ---------------- Whole files -------------- */

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8191, 8192, 8193, MEGABYTE - 1, MEGABYTE, MEGABYTE + 1, 3 * MEGABYTE + 5})
    void read_givesWhatWasWritten_whateverItsLength(int length) throws Exception {
        byte[] bytes = randomBytes(length);
        Path file = dir.resolve("file");
        inTask(() -> {
            Fs.write(file, bytes);
            assertThat(Fs.read(file)).isEqualTo(bytes);
            assertThat(Fs.size(file)).isEqualTo(length);
        });
        assertThat(jobsOf(() -> {
                    byte[] unused = Fs.read(file);
                }))
                .isEqualTo(length / MEGABYTE + 1);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void read_ofAFileWithoutASize_readsToItsEnd() throws Exception {
        String environment = inTask(() -> Fs.readString(Path.of("/proc/self/mounts"), ISO_8859_1));
        assertThat(environment).endsWith("\n").isEqualTo(Files.readString(Path.of("/proc/self/mounts"), ISO_8859_1));
    }

    @Test
    void aThreadThatIsNoTask_andABlockingJob_mayCallIt() throws Exception {
        Path file = dir.resolve("file");
        Fs.writeString(file, "from outside");
        assertThat(Fs.readString(file)).isEqualTo("from outside");
        JoinHandle<String> job = runtime.spawnBlocking(() -> Fs.readString(file)); // the pool's only thread
        assertThat(job.join(LONG)).isEqualTo("from outside");
    }

    @Test
    void write_withOptions_obeysThem() throws Exception {
        Path file = dir.resolve("file");
        inTask(() -> {
            Fs.append(file, "ab".getBytes(UTF_8));
            Fs.appendString(file, "cd");
            assertThat(Fs.readString(file)).isEqualTo("abcd");
            Fs.writeString(file, "X", StandardOpenOption.WRITE);
            assertThat(Fs.readString(file)).isEqualTo("Xbcd");
            Fs.writeString(file, "\u00e9", ISO_8859_1);
            assertThat(Fs.read(file)).containsExactly(0xe9);
            assertThatExceptionOfType(FileAlreadyExistsException.class)
                    .isThrownBy(() -> Fs.write(file, new byte[1], StandardOpenOption.CREATE_NEW));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Fs.write(file, new byte[1], StandardOpenOption.READ))
                    .withMessage("options=[READ] must not contain READ");
        });
    }

    @Test
    void text_thatIsNotValid_isRefused_andAReplacementCharacterInTheFileIsNot() throws Exception {
        Path file = dir.resolve("file");
        inTask(() -> {
            Fs.write(file, new byte[] {'a', (byte) 0xc3, 'b'});
            assertThatExceptionOfType(FileSystemException.class)
                    .isThrownBy(() -> Fs.readString(file))
                    .withMessage(file + ": is not valid UTF-8")
                    .withCauseInstanceOf(CharacterCodingException.class);
            Fs.writeString(file, "a\ufffdb");
            assertThat(Fs.readString(file)).isEqualTo("a\ufffdb");
            assertThatExceptionOfType(CharacterCodingException.class)
                    .isThrownBy(() -> Fs.writeString(file, "lone \ud800"));
            assertThat(Fs.readString(file)).isEqualTo("a\ufffdb");
        });
    }

    @Test
    void read_cancelledBetweenTwoSteps_leavesNothingOpen() throws Exception {
        Path file = Files.write(dir.resolve("file"), new byte[2 * MEGABYTE]);
        JoinHandle<byte[]> task = abortedAfterOneStep(() -> Fs.read(file));
        assertThat(task.tryResult()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(openFiles()).isEmpty();
    }

    /* ---------------- Replacing -------------- */

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void writeAtomically_replacesTheFile_keepsItsPermissions_andLeavesNothingBeside() throws Exception {
        Path file = dir.resolve("secret");
        inTask(() -> {
            Fs.writeAtomically(file, "one".getBytes(UTF_8));
            Fs.setPermissions(file, PosixFilePermissions.fromString("rw--w--w-")); // no mask leaves these
            byte[] bytes = randomBytes(2 * MEGABYTE + 1);
            Fs.writeAtomically(file, bytes);
            assertThat(Fs.read(file)).isEqualTo(bytes);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw--w--w-");
            assertThat(Fs.list(dir)).containsExactly(file);
        });
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void writeAtomically_replacesAFile_whoseNameIsAsLongAsNamesCanBe() throws Exception {
        Path file = dir.resolve("n".repeat(255));
        inTask(() -> {
            Fs.writeAtomically(file, new byte[] {1});
            Fs.writeAtomically(file, new byte[] {2});
        });
        assertThat(Files.readAllBytes(file)).containsExactly(2);
        assertThat(Fs.list(dir)).containsExactly(file);
    }

    @Test
    void writeAtomically_thatFails_leavesWhatWasThere_andNothingBeside() throws Exception {
        Path full = Files.createDirectory(dir.resolve("full"));
        Path inside = Files.createFile(full.resolve("inside"));
        fails(FileSystemException.class, full, () -> Fs.writeAtomically(full, new byte[10]));
        assertThat(inside).exists();
        assertThat(Fs.list(dir)).containsExactly(full);
        fails(
                NoSuchFileException.class,
                dir.resolve("none"),
                () -> Fs.writeAtomically(dir.resolve("none").resolve("file"), new byte[1]));
        fails(FileSystemException.class, Path.of("/"), () -> Fs.writeAtomically(Path.of("/"), new byte[1]));
    }

    @Test
    void writeAtomically_showsReadersTheOldOrTheNew_neverAPart() throws Exception {
        Path file = dir.resolve("file");
        Fs.writeAtomically(file, new byte[200_000]);
        JoinHandle<Integer> writer = runtime.spawn(() -> {
            for (int i = 1; i <= 50; i++) {
                byte[] bytes = new byte[200_000];
                Arrays.fill(bytes, (byte) i);
                Fs.writeAtomically(file, bytes);
            }
            return 50;
        });
        do {
            byte[] seen = Files.readAllBytes(file);
            assertThat(seen).hasSize(200_000);
            for (byte each : seen) {
                if (each != seen[0]) {
                    throw new AssertionError("both " + seen[0] + " and " + each);
                }
            }
        } while (!writer.isFinished());
        assertThat(writer.join(LONG)).isEqualTo(50);
    }

    /* ---------------- Copying and moving -------------- */

    @ParameterizedTest
    @ValueSource(ints = {0, 1, MEGABYTE, MEGABYTE + 1, 3 * MEGABYTE})
    @DisabledOnOs(OS.WINDOWS)
    void copy_makesTheSame_withItsPermissions(int length) throws Exception {
        byte[] bytes = randomBytes(length);
        Path source = Files.write(dir.resolve("source"), bytes);
        Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("rwx------"));
        Path target = dir.resolve("target");
        inTask(() -> {
            Fs.copy(source, target);
            assertThat(Files.readAllBytes(target)).isEqualTo(bytes);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target)))
                    .isEqualTo("rwx------");
            assertThatExceptionOfType(FileAlreadyExistsException.class)
                    .isThrownBy(() -> Fs.copy(source, target))
                    .withMessageContaining("target");
            Fs.writeString(target, "else");
            Fs.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
            assertThat(Files.readAllBytes(target)).isEqualTo(bytes);
            Fs.copy(source, source, StandardCopyOption.REPLACE_EXISTING); // does nothing
            assertThat(Files.readAllBytes(source)).isEqualTo(bytes);
            Fs.move(target, dir.resolve("moved"));
            assertThat(Fs.exists(target)).isFalse();
            assertThat(Files.readAllBytes(dir.resolve("moved"))).isEqualTo(bytes);
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, MEGABYTE, MEGABYTE + 1})
    @DisabledOnOs(OS.WINDOWS)
    void copy_toALinkToItsSource_treatsTheLinkAsAnyTarget_whateverTheLength(int length) throws Exception {
        byte[] bytes = randomBytes(length);
        Path source = Files.write(dir.resolve("source"), bytes);
        Path link = Files.createSymbolicLink(dir.resolve("link"), source);
        Path same = Files.createLink(dir.resolve("same"), source);
        fails(FileAlreadyExistsException.class, link, () -> Fs.copy(source, link));
        assertThat(link).isSymbolicLink();
        inTask(() -> {
            Fs.copy(source, same); // does nothing
            Fs.copy(source, link, StandardCopyOption.REPLACE_EXISTING);
        });
        assertThat(Files.isSymbolicLink(link)).isFalse();
        assertThat(Files.isSameFile(link, source)).isFalse();
        assertThat(Files.readAllBytes(link)).isEqualTo(bytes);
        assertThat(Files.readAllBytes(source)).isEqualTo(bytes);
    }

    @Test
    void copy_withMoreOptions_isOneOperation() throws Exception {
        Path source = Files.write(dir.resolve("source"), new byte[3 * MEGABYTE]);
        Files.setLastModifiedTime(source, FileTime.fromMillis(1_000_000));
        assertThat(jobsOf(() -> Fs.copy(source, dir.resolve("t"), StandardCopyOption.COPY_ATTRIBUTES)))
                .isOne();
        assertThat(Files.getLastModifiedTime(dir.resolve("t")).toMillis()).isEqualTo(1_000_000);
    }

    @Test
    void copy_cancelledBetweenTwoSteps_leavesNoTarget() throws Exception {
        Path source = Files.write(dir.resolve("source"), new byte[3 * MEGABYTE]);
        Path target = dir.resolve("target");
        JoinHandle<Boolean> task = abortedAfterOneStep(() -> {
            try {
                Fs.copy(source, target);
            } catch (InterruptedException e) {
                assertThat(target).doesNotExist();
                assertThat(openFiles()).isEmpty();
                throw e;
            }
            return true;
        });
        assertThat(task.tryResult()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(target).doesNotExist();
    }

    /** Whether the test above strikes where it says. */
    @Test
    void copy_afterItsFirstStep_hasMadeAMegabyte_andAbandoned_isGone() throws Exception {
        Path source = Files.write(dir.resolve("source"), new byte[3 * MEGABYTE]);
        Path target = dir.resolve("target");
        FileCopy copy = new FileCopy(source, target);
        assertThat(copy.step()).isFalse();
        assertThat(Files.size(target)).isEqualTo(MEGABYTE);
        copy.abandon();
        assertThat(target).doesNotExist();
        assertThat(source).exists();
    }

    /* ---------------- Directories -------------- */

    @Test
    void directories_areCreatedListedAndDeleted() throws Exception {
        inTask(() -> {
            Fs.createDirectories(dir.resolve("a").resolve("b"));
            Fs.createDirectory(dir.resolve("c"));
            Path temp = Fs.createTempFile(dir, "x", ".tmp");
            assertThat(Fs.list(dir)).containsExactlyInAnyOrder(dir.resolve("a"), dir.resolve("c"), temp);
            assertThat(Fs.deleteIfExists(temp)).isTrue();
            assertThat(Fs.deleteIfExists(temp)).isFalse();
            Fs.delete(dir.resolve("c"));
            assertThat(Fs.list(dir)).containsExactly(dir.resolve("a"));
        });
    }

    private Path tree() throws IOException {
        Path tree = dir.resolve("tree");
        for (int i = 0; i < 3; i++) {
            Path below = Files.createDirectories(tree.resolve("d" + i).resolve("e"));
            for (int f = 0; f < 200; f++) {
                Files.writeString(below.resolve("f" + f), "x".repeat(f));
            }
        }
        return tree;
    }

    @Test
    void walk_findsAll_eachDirectoryBeforeWhatIsInIt_inBatches() throws Exception {
        Path tree = tree();
        List<Path> found = new ArrayList<>();
        long jobs = jobsOf(() -> {
            try (FileWalk walk = Fs.walk(tree)) {
                for (FileWalk.Entry entry; (entry = walk.nextOrNull()) != null; ) {
                    found.add(entry.path());
                    assertThat(entry.attributes().isDirectory()).isEqualTo(Files.isDirectory(entry.path()));
                    assertThat(entry.attributes().size()).isEqualTo(Files.size(entry.path()));
                }
                assertThat(walk.nextOrNull()).isNull();
            }
        });
        assertThat(jobs).isEqualTo(3); // of 607 entries
        assertThat(found.getFirst()).isEqualTo(tree);
        for (int i = 1; i < found.size(); i++) {
            assertThat(found.indexOf(found.get(i).getParent())).isBetween(0, i - 1);
        }
        try (var all = Files.walk(tree)) {
            assertThat(new TreeSet<>(found)).isEqualTo(new TreeSet<>(all.toList()));
        }
        assertThat(found).doesNotHaveDuplicates();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void walk_doesNotFollowLinks_andIsClosedInTheMiddle() throws Exception {
        Path tree = tree();
        Path loop = Files.createSymbolicLink(dir.resolve("loop"), dir);
        inTask(() -> {
            try (FileWalk walk = Fs.walk(loop)) {
                assertThat(walk.nextOrNull().attributes().isSymbolicLink()).isTrue();
                assertThat(walk.nextOrNull()).isNull();
            }
            FileWalk walk = Fs.walk(tree);
            assertThat(walk.nextOrNull().path()).isEqualTo(tree);
            walk.close();
            assertThat(openFiles()).isEmpty();
            assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(walk::nextOrNull);
        });
    }

    @Test
    void walk_skipsWhatIsDeletedMeanwhile() throws Exception {
        Path tree = tree();
        inTask(() -> {
            try (FileWalk walk = Fs.walk(tree)) {
                Fs.deleteTree(tree);
                int left = 0;
                while (walk.nextOrNull() != null) {
                    left++;
                }
                assertThat(left).isEqualTo(FileWork.STEP_ENTRIES); // those read at the start
            }
        });
    }

    /** Of which the first entry cannot be read, nor it be closed. */
    private static DirectoryStream<Path> unreadable() {
        return new DirectoryStream<>() {
            @Override
            public Iterator<Path> iterator() {
                return new Iterator<>() {
                    @Override
                    public boolean hasNext() {
                        throw new DirectoryIteratorException(new IOException("broken"));
                    }

                    @Override
                    public Path next() {
                        throw new AssertionError("there is none");
                    }
                };
            }

            @Override
            public void close() throws IOException {
                throw new IOException("and not closed");
            }
        };
    }

    @Test
    void walk_goesOnBehindADirectoryThatCannotBeRead() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));
        FileWalk walk = new FileWalk(dir);
        walk.push(Files.newDirectoryStream(dir));
        walk.push(unreadable());
        inTask(() -> {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(walk::nextOrNull)
                    .withMessage("broken")
                    .satisfies(e -> assertThat(e.getSuppressed()[0]).hasMessage("and not closed"));
            assertThat(walk.nextOrNull().path()).isEqualTo(file);
            assertThat(walk.nextOrNull()).isNull();
            walk.close();
        });
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aDirectory_inWhosePlaceALinkWasPut_isNotEntered() throws Exception {
        Path outside = Files.createDirectory(dir.resolve("outside"));
        Path kept = Files.createFile(outside.resolve("kept"));
        Path link = Files.createSymbolicLink(dir.resolve("link"), outside);
        assertThatExceptionOfType(FileSystemException.class)
                .isThrownBy(() -> FileWork.openDirectory(link))
                .withMessageContaining(link + ": was replaced");
        TreeDeletion deletion = new TreeDeletion(link, true);
        assertThatExceptionOfType(FileSystemException.class)
                .isThrownBy(() -> deletion.enter(null, link))
                .withMessageContaining(link + ": was replaced");
        assertThat(openFiles()).isEmpty();
        assertThat(kept).exists();
    }

    /** Whenever it is put there. Strikes between the look and the step into it in some of the rounds. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void deleteTree_isNotLedElsewhere_byALinkPutInThePlaceOfItsRoot() throws Exception {
        Path outside = Files.createDirectory(dir.resolve("outside"));
        Path kept = Files.createFile(outside.resolve("kept"));
        Path root = dir.resolve("root");
        Path link = Files.createSymbolicLink(dir.resolve("link"), outside);
        AtomicBoolean done = new AtomicBoolean();
        Thread enemy = Thread.ofPlatform().start(() -> {
            Path aside = dir.resolve("aside");
            while (!done.get()) {
                try {
                    Files.createDirectories(aside);
                    Files.move(aside, root);
                    Files.move(root, aside);
                    Files.move(link, root, StandardCopyOption.ATOMIC_MOVE);
                    Files.move(root, link, StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException e) {
                    restore(link, outside);
                }
            }
        });
        try {
            inTask(() -> {
                for (int round = 0; round < 20_000; round++) {
                    try {
                        Fs.deleteTree(root);
                    } catch (IOException e) {
                        // there is none just now, or another
                    }
                    assertThat(kept).exists();
                }
            });
        } finally {
            done.set(true);
            enemy.join();
        }
    }

    private static void restore(Path link, Path target) {
        try {
            Files.createSymbolicLink(link, target);
        } catch (IOException e) {
            // it is there
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisabledOnOs(OS.WINDOWS)
    void deleteTree_deletesAll_andFollowsNoLink(boolean securely) throws Exception {
        Path tree = tree();
        Path outside = Files.createDirectory(dir.resolve("outside"));
        Path kept = Files.writeString(outside.resolve("kept"), "k");
        Files.createSymbolicLink(tree.resolve("link"), outside);
        Files.createSymbolicLink(tree.resolve("broken"), dir.resolve("nothing"));
        inTask(() -> FileWork.callAll(tree, new TreeDeletion(tree, securely)));
        assertThat(tree).doesNotExist();
        assertThat(kept).exists();
        Path link = Files.createSymbolicLink(dir.resolve("link"), outside);
        inTask(() -> Fs.deleteTree(link));
        assertThat(Files.exists(link, LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(kept).exists();
        inTask(() -> Fs.deleteTree(kept));
        assertThat(kept).doesNotExist();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void deleteTree_isNotLedElsewhere_byALinkPutInThePlaceOfADirectory() throws Exception {
        Path tree = Files.createDirectory(dir.resolve("tree"));
        Path inside = Files.createDirectory(tree.resolve("a"));
        Path outside = Files.createDirectory(dir.resolve("outside"));
        for (int i = 0; i < 1_000; i++) {
            Files.createFile(inside.resolve("f" + i));
            Files.createFile(outside.resolve("f" + i));
        }
        TreeDeletion deletion = new TreeDeletion(tree, true);
        assertThat(deletion.step()).isFalse(); // it is in the middle of "a"
        Files.move(inside, tree.resolve("b"));
        Files.createSymbolicLink(inside, outside);
        try {
            while (!deletion.step()) {
                // the next
            }
        } catch (FileSystemException e) {
            deletion.abandon(); // "a" is no directory any more
        }
        assertThat(Fs.list(outside)).hasSize(1_000);
    }

    /** Of what lies in /proc, nothing can be deleted by anybody. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void deleteTree_namesTheWholePathOfWhatCannotBeDeleted() throws Exception {
        Path fixed = Path.of("/proc/self/fdinfo");
        fails(FileSystemException.class, fixed, () -> Fs.deleteTree(fixed));
    }

    @Test
    void anErrorOfADeletion_keepsItsKind_andIsNamed() {
        Path path = Path.of("a", "b");
        for (FileSystemException e : List.of(
                new AccessDeniedException("b", null, "why"),
                new NoSuchFileException("b", null, "why"),
                new FileSystemException("b", null, "why"))) {
            FileSystemException named = TreeDeletion.named(e, path);
            assertThat(named).hasSameClassAs(e).hasMessage(path + ": why").hasCause(e);
        }
        assertThat(TreeDeletion.named(new DirectoryNotEmptyException("b"), path))
                .isInstanceOf(DirectoryNotEmptyException.class)
                .hasMessage(path.toString());
        assertThat(TreeDeletion.named(new NotDirectoryException("b"), path))
                .isInstanceOf(NotDirectoryException.class)
                .hasMessage(path.toString());
        FileSystemException full = new NoSuchFileException(path.toString());
        assertThat(TreeDeletion.named(full, path)).isSameAs(full);
    }

    @Test
    void deleteTree_cancelledBetweenTwoSteps_leavesNothingOpen() throws Exception {
        Path tree = tree();
        JoinHandle<Boolean> task = abortedAfterOneStep(() -> {
            Fs.deleteTree(tree);
            return true;
        });
        assertThat(task.tryResult()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(openFiles()).isEmpty();
        assertThat(tree).exists();
        Fs.deleteTree(tree);
        assertThat(tree).doesNotExist();
    }

    @Test
    void aTempDirectory_isDeletedWithAllInIt_alsoInACancelledTask() throws Exception {
        Path[] made = new Path[1];
        JoinHandle<Integer> task = runtime.spawn(() -> {
            try (TempDirectory temp = TempDirectory.create(dir, "t-")) {
                made[0] = temp.path();
                Fs.createDirectories(temp.path().resolve("a").resolve("b"));
                ((JoinHandle<?>) Task.current()).abort();
                Fs.read(temp.path().resolve("a"));
            }
            return 1;
        });
        assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(made[0]).doesNotExist();
        inTask(() -> {
            TempDirectory temp = TempDirectory.create("kumihimo-");
            Fs.deleteTree(temp.path());
            temp.close();
            temp.close();
        });
        assertThat(Fs.list(dir)).isEmpty();
    }

    /* ---------------- Attributes and links -------------- */

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void attributesAndLinks_areToldAndSet() throws Exception {
        Path file = Files.writeString(dir.resolve("file"), "12345");
        Path link = dir.resolve("link");
        inTask(() -> {
            Fs.createSymbolicLink(link, Path.of("file"));
            assertThat(Fs.readSymbolicLink(link)).isEqualTo(Path.of("file"));
            assertThat(Fs.realPath(link)).isEqualTo(file);
            assertThat(Fs.attributes(link).size()).isEqualTo(5);
            assertThat(Fs.attributes(link, LinkOption.NOFOLLOW_LINKS).isSymbolicLink())
                    .isTrue();
            Fs.createLink(dir.resolve("second"), file);
            assertThat(Files.isSameFile(dir.resolve("second"), file)).isTrue();
            Fs.setPermissions(file, PosixFilePermissions.fromString("r--------"));
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("r--------");
            Fs.delete(file);
            assertThat(Fs.exists(link)).isFalse();
            assertThat(Fs.exists(link, LinkOption.NOFOLLOW_LINKS)).isTrue();
        });
    }

    /* ---------------- What cannot be done -------------- */

    @Test
    void aFileThatIsAbsent_isNamed() throws Exception {
        Path none = dir.resolve("none");
        fails(NoSuchFileException.class, none, () -> Fs.read(none));
        fails(NoSuchFileException.class, none, () -> Fs.readString(none));
        fails(NoSuchFileException.class, none, () -> Fs.lines(none));
        fails(NoSuchFileException.class, none, () -> Fs.walk(none));
        fails(NoSuchFileException.class, none, () -> Fs.list(none));
        fails(NoSuchFileException.class, none, () -> Fs.size(none));
        fails(NoSuchFileException.class, none, () -> Fs.attributes(none));
        fails(NoSuchFileException.class, none, () -> Fs.delete(none));
        fails(NoSuchFileException.class, none, () -> Fs.deleteTree(none));
        fails(NoSuchFileException.class, none, () -> Fs.copy(none, dir.resolve("target")));
        fails(NoSuchFileException.class, none, () -> Fs.move(none, dir.resolve("target")));
        fails(NoSuchFileException.class, none, () -> FileHandle.open(none));
        fails(NoSuchFileException.class, none, () -> Fs.write(none.resolve("below"), new byte[1]));
        fails(NoSuchFileException.class, none, () -> Fs.createTempFile(none, "a", "b"));
        fails(NoSuchFileException.class, none, () -> TempDirectory.create(none, "a"));
    }

    @Test
    void aDirectoryInThePlaceOfAFile_isNamed_andNothingStaysOpen() throws Exception {
        Path full = Files.createDirectory(dir.resolve("full"));
        Files.createFile(full.resolve("inside"));
        fails(FileSystemException.class, full, () -> Fs.read(full));
        fails(FileSystemException.class, full, () -> Fs.lines(full));
        fails(FileSystemException.class, full, () -> Fs.write(full, new byte[1]));
        fails(DirectoryNotEmptyException.class, full, () -> Fs.delete(full));
        fails(NotLinkException.class, full, () -> Fs.readSymbolicLink(full));
        fails(FileAlreadyExistsException.class, full, () -> Fs.createDirectory(full));
        assertThat(openFiles()).isEmpty();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aFileInThePlaceOfADirectory_isNamed() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));
        Path below = file.resolve("below");
        fails(FileSystemException.class, below, () -> Fs.read(below));
        assertThat(Fs.exists(below)).isFalse();
        assertThat(Fs.exists(below.resolve("further"))).isFalse();
        fails(FileSystemException.class, below, () -> Fs.write(below, new byte[1]));
        fails(NotDirectoryException.class, file, () -> Fs.list(file));
        fails(FileSystemException.class, file, () -> Fs.createDirectories(below));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aLinkThatLeadsToItself_isNamed() throws Exception {
        Path loop = dir.resolve("loop");
        Files.createSymbolicLink(loop, loop);
        fails(FileSystemException.class, loop, () -> Fs.read(loop));
        fails(FileSystemException.class, loop, () -> Fs.exists(loop));
        fails(FileSystemException.class, loop, () -> FileHandle.open(loop));
        fails(FileSystemException.class, loop, () -> Fs.realPath(loop));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void anErrorWhileReading_isNamed() throws Exception {
        Path memory = Path.of("/proc/self/mem"); // there is nothing at 0
        fails(FileSystemException.class, memory, () -> Fs.read(memory));
        inTask(() -> {
            try (FileHandle file = FileHandle.open(memory)) {
                assertThatExceptionOfType(FileSystemException.class)
                        .isThrownBy(() -> file.read(ByteBuffer.allocate(8), 0))
                        .withMessageContaining(memory.toString());
            }
        });
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDisk_isNamed() throws Exception {
        Path full = Path.of("/dev/full");
        fails(FileSystemException.class, full, () -> Fs.write(full, new byte[1], StandardOpenOption.WRITE));
    }
}
