package dev.kumihimo.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class BatchTest {
    private static ByteBuffer[] buffers(int count, int length) {
        ByteBuffer[] buffers = new ByteBuffer[count];
        Arrays.setAll(buffers, i -> ByteBuffer.allocate(length));
        return buffers;
    }

    /** What is beyond that the system leaves out, which would look as if it had no room. */
    @Test
    void batch_hasAsManyBuffersAsTheSystemTakes() {
        Batch batch = Batch.of(buffers(3_000, 2), 1_500, 1_500);
        assertThat(batch.count).isEqualTo(1_024);
        assertThat(batch.bytes).isEqualTo(2_048);
        batch = Batch.of(buffers(1_024, 2), 0, 1_024);
        assertThat(batch.count).isEqualTo(1_024);
        assertThat(batch.bytes).isEqualTo(2_048);
    }

    /** The JDK leaves them out itself; a batch of nothing but these would never come to an end. */
    @Test
    void emptyBuffers_doNotCount() {
        ByteBuffer[] buffers = buffers(5_000, 0);
        buffers[4_000] = ByteBuffer.allocate(7);
        Batch batch = Batch.of(buffers, 0, buffers.length);
        assertThat(batch.count).isEqualTo(5_000);
        assertThat(batch.bytes).isEqualTo(7);
    }

    @Test
    void batch_endsWithinABuffer_whenThereIsMoreOnTheHeapThanOneCallCopies() {
        ByteBuffer[] buffers = buffers(3, SocketOutput.CHUNK - 1);
        Batch batch = Batch.of(buffers, 0, 3);
        assertThat(batch.count).isEqualTo(2);
        assertThat(batch.bytes).isEqualTo(SocketOutput.CHUNK);
        assertThat(buffers[1].remaining()).isEqualTo(1);
        batch.restore();
        assertThat(buffers[1].remaining()).isEqualTo(SocketOutput.CHUNK - 1);
    }
}
