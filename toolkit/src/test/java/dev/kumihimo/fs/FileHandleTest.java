package dev.kumihimo.fs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kumihimo.runtime.JoinHandle;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Open files; what cancellation does to them is in {@link CancelledFileWorkTest}. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class FileHandleTest extends FileTest {
    private static final int MEGABYTE = FileWork.STEP_BYTES;

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    private static String text(ByteBuffer read) {
        return UTF_8.decode(read.flip()).toString();
    }

    @Test
    void readsAndWrites_shareAPosition_andThoseWithOneDoNotMoveIt() throws Exception {
        Path path = dir.resolve("file");
        inTask(() -> {
            try (FileHandle file = FileHandle.open(path, READ, WRITE, CREATE)) {
                assertThat(file.write(bytes("hello world"))).isEqualTo(11);
                assertThat(Files.readString(path)).isEqualTo("hello world"); // nothing is buffered
                assertThat(file.position()).isEqualTo(11);
                file.position(6);
                ByteBuffer five = ByteBuffer.allocate(5);
                assertThat(file.read(five)).isEqualTo(5);
                assertThat(text(five)).isEqualTo("world");
                assertThat(file.read(ByteBuffer.allocate(1))).isEqualTo(-1);
                assertThat(file.write(bytes("J"), 0)).isOne();
                five.clear();
                file.readFully(five, 0);
                assertThat(text(five)).isEqualTo("Jello");
                assertThat(file.position()).isEqualTo(11);
                assertThat(file.read(ByteBuffer.allocate(1), 1_000)).isEqualTo(-1);
                file.truncate(4);
                assertThat(file.size()).isEqualTo(4);
                assertThat(file.position()).isEqualTo(4);
                file.force(true);
                assertThat(file.path()).isEqualTo(path);
                assertThat(file.toString()).isEqualTo("FileHandle[" + path + "]");
            }
        });
        assertThat(Files.readString(path)).isEqualTo("Jell");
    }

    @Test
    void append_writesAtTheEnd() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "ab");
        inTask(() -> {
            try (FileHandle file = FileHandle.open(path, APPEND)) {
                file.writeAll(bytes("cd"));
            }
        });
        assertThat(Files.readString(path)).isEqualTo("abcd");
    }

    @Test
    void writeAllAndReadFully_moveMoreThanAStep_andNoMoreThanTheBuffer() throws Exception {
        byte[] random = randomBytes(2 * MEGABYTE + 7);
        Path path = dir.resolve("file");
        inTask(() -> {
            try (FileHandle file = FileHandle.open(path, READ, WRITE, CREATE)) {
                ByteBuffer part = ByteBuffer.wrap(random, 3, 2 * MEGABYTE + 1);
                file.writeAll(part);
                assertThat(part.position()).isEqualTo(2 * MEGABYTE + 4);
                assertThat(part.limit()).isEqualTo(2 * MEGABYTE + 4);
                file.writeAll(ByteBuffer.wrap(random), 0);
                ByteBuffer all = ByteBuffer.allocate(random.length);
                file.readFully(all, 0);
                assertThat(all.array()).isEqualTo(random);
                file.position(1);
                ByteBuffer most = ByteBuffer.allocate(random.length - 1);
                file.readFully(most);
                assertThat(most.flip()).isEqualTo(ByteBuffer.wrap(random, 1, random.length - 1));
                assertThat(file.read(ByteBuffer.allocate(3 * MEGABYTE), 0)).isEqualTo(MEGABYTE);
            }
        });
    }

    @Test
    void readFully_behindTheEnd_saysHowMuchIsMissing() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "abc");
        inTask(() -> {
            try (FileHandle file = FileHandle.open(path)) {
                ByteBuffer five = ByteBuffer.allocate(5);
                assertThatExceptionOfType(EOFException.class)
                        .isThrownBy(() -> file.readFully(five))
                        .withMessage(path + ": the file ends 2 bytes too early");
                assertThat(five.position()).isEqualTo(3);
                assertThatExceptionOfType(EOFException.class)
                        .isThrownBy(() -> file.readFully(ByteBuffer.allocate(5), 1))
                        .withMessage(path + ": the file ends 3 bytes too early");
            }
        });
    }

    @Test
    void positionedReads_ofManyTasks_doNotDisturbEachOther() throws Exception {
        Path path = dir.resolve("file");
        ByteBuffer numbers = ByteBuffer.allocate(4 * 1_000);
        for (int i = 0; i < 1_000; i++) {
            numbers.putInt(i);
        }
        Files.write(path, numbers.array());
        inTask(() -> {
            try (FileHandle file = FileHandle.open(path)) {
                List<JoinHandle<Integer>> readers = new ArrayList<>();
                for (int i = 0; i < 1_000; i++) {
                    int at = 4 * i;
                    readers.add(runtime.spawn(() -> {
                        ByteBuffer four = ByteBuffer.allocate(4);
                        file.readFully(four, at);
                        return four.getInt(0);
                    }));
                }
                for (int i = 0; i < 1_000; i++) {
                    assertThat(readers.get(i).join(LONG)).isEqualTo(i);
                }
            }
        });
    }

    @Test
    void transferTo_handsOverWhatThereIs() throws Exception {
        byte[] random = randomBytes(200_000);
        Path path = Files.write(dir.resolve("file"), random);
        inTask(() -> {
            try (FileHandle file = FileHandle.open(path)) {
                ByteArrayOutputStream some = new ByteArrayOutputStream();
                assertThat(file.transferTo(10, 150_000, Channels.newChannel(some)))
                        .isEqualTo(150_000);
                assertThat(ByteBuffer.wrap(some.toByteArray())).isEqualTo(ByteBuffer.wrap(random, 10, 150_000));
                some.reset();
                assertThat(file.transferTo(100_000, Long.MAX_VALUE, Channels.newChannel(some)))
                        .isEqualTo(100_000);
                assertThat(ByteBuffer.wrap(some.toByteArray())).isEqualTo(ByteBuffer.wrap(random, 100_000, 100_000));
                assertThat(file.transferTo(0, 0, Channels.newChannel(some))).isZero();
            }
        });
    }

    @Test
    void wrongUse_isTold_andTheFileStaysUsable() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "abc");
        inTask(() -> {
            try (FileHandle file = FileHandle.open(path)) {
                ByteBuffer one = ByteBuffer.allocate(1);
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> file.read(one, -1))
                        .withMessage("position=-1 must not be negative");
                assertThatIllegalArgumentException().isThrownBy(() -> file.readFully(one, -2));
                assertThatIllegalArgumentException().isThrownBy(() -> file.write(one, -3));
                assertThatIllegalArgumentException().isThrownBy(() -> file.writeAll(one, Long.MIN_VALUE));
                assertThatIllegalArgumentException().isThrownBy(() -> file.position(-1));
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> file.truncate(-1))
                        .withMessage("size=-1 must not be negative");
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> file.transferTo(0, -1, Channels.newChannel(new ByteArrayOutputStream())))
                        .withMessage("count=-1 must not be negative");
                assertThatExceptionOfType(NonWritableChannelException.class).isThrownBy(() -> file.write(one));
                assertThatExceptionOfType(NonWritableChannelException.class).isThrownBy(() -> file.truncate(0));
                assertThatIllegalArgumentException().isThrownBy(() -> file.read(one.asReadOnlyBuffer()));
                assertThat(file.read(one)).isOne();
            }
            try (FileHandle file = FileHandle.open(path, WRITE)) {
                assertThatExceptionOfType(NonReadableChannelException.class)
                        .isThrownBy(() -> file.read(ByteBuffer.allocate(1)));
            }
        });
    }

    @Test
    void aClosedHandle_saysSo() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "abc");
        inTask(() -> {
            FileHandle file = FileHandle.open(path, READ, WRITE);
            assertThat(file.isOpen()).isTrue();
            file.close();
            file.close();
            assertThat(file.isOpen()).isFalse();
            assertThat(file.toString()).isEqualTo("FileHandle[" + path + ", closed]");
            ByteBuffer one = ByteBuffer.allocate(1);
            assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(() -> file.read(one));
            assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(() -> file.write(one, 0));
            assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(file::size);
            assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(() -> file.force(true));
        });
    }
}
