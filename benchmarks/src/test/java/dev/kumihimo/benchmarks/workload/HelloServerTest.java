package dev.kumihimo.benchmarks.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class HelloServerTest {
    @Test
    void requestsEndBehindABlankLine() {
        var buffer = ByteBuffer.allocate(64).put("GET / HTTP/1.1\r\n\r\nGET".getBytes(StandardCharsets.US_ASCII));
        assertThat(HelloServer.endOfRequest(buffer)).isEqualTo(18);
        HelloServer.drop(buffer, 18);
        assertThat(buffer.position()).isEqualTo(3);
        assertThat(HelloServer.endOfRequest(buffer)).isEqualTo(-1);
        buffer.put(" /\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(HelloServer.endOfRequest(buffer)).isEqualTo(9);
    }

    @Test
    void answerHas75Bytes() {
        assertThat(HelloServer.answer().remaining()).isEqualTo(75);
    }
}
