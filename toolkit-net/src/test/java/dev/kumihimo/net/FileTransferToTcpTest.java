package dev.kumihimo.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.FileTransfer;
import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FileTransferToTcpTest {
    @TempDir
    private Path folder;

    @Test
    void transfer_toAConnection_sendsTheFile_withoutABufferOfOurs() throws Exception {
        byte[] content = new byte[5_000_001];
        new Random(1).nextBytes(content);
        Path path = Files.write(folder.resolve("file"), content);
        try (TaskRuntime runtime = Loopback.runtime(2);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            assertThat(pair.stream()).isInstanceOf(FileTransfer.Target.class);
            long retained = BufferPool.shared().retained();
            JoinHandle<Long> sent = runtime.spawn(() -> {
                long count = FileTransfer.transfer(path, 1, Long.MAX_VALUE, pair.stream());
                pair.stream().shutdownOutput();
                return count;
            });
            byte[] received = pair.peer().getInputStream().readAllBytes();
            assertThat(Arrays.equals(received, Arrays.copyOfRange(content, 1, content.length)))
                    .isTrue();
            assertThat(sent.join()).isEqualTo(5_000_000);
            assertThat(BufferPool.shared().retained()).isEqualTo(retained);
        }
    }

    /** Files that the kernel makes are as large as a page, whatever is in them. */
    @Test
    void writeFrom_endsWithTheContent_ofAFileWhoseSizeIsMore() throws Exception {
        Path path = Path.of("/sys/class/net/lo/mtu");
        assumeTrue(Files.isReadable(path), "a file of Linux");
        byte[] content = Files.readAllBytes(path);
        assumeTrue(Files.size(path) > content.length);
        try (TaskRuntime runtime = Loopback.runtime(2);
                Pair pair = runtime.blockOn(() -> Pair.open());
                FileChannel file = FileChannel.open(path)) {
            JoinHandle<Long> sent = runtime.spawn(() -> pair.stream().writeFrom(file, 0, Long.MAX_VALUE));
            try {
                assertThat(sent.join(Duration.ofSeconds(20))).isEqualTo(content.length);
            } finally {
                sent.abort();
            }
            assertThat(pair.peer().getInputStream().readNBytes(content.length)).isEqualTo(content);
        }
    }
}
