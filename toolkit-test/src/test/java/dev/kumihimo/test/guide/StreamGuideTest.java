package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.test.net.ScriptedStream;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class StreamGuideTest {
    /** What is to be tested: greets, and gives up after ten seconds. */
    static String greet(ByteStream stream) throws Exception {
        return Timeout.call(Duration.ofSeconds(10), () -> {
            var lines = Framed.of(stream, LinesCodec.of(1_000));
            lines.receiveOrNull();
            lines.send("HELO me");
            return lines.receiveOrNull();
        });
    }

    @Test
    void greets() throws Exception {
        ScriptedStream peer = ScriptedStream.script()
                .read("220 re", "ady\n") // in two pieces
                .write("HELO me\n") // anything else fails, and shows both
                .waitFor(Duration.ofSeconds(3))
                .read("250 pleased to meet you\n")
                .build();
        try (TestRuntime test = TestRuntime.fifo()) {
            String answer = test.run(() -> greet(peer));
            assertThat(answer).startsWith("250");
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofSeconds(3));
        }
        peer.verify(); // all was played, and nothing else was written
    }

    @Test
    void givesUp() {
        ScriptedStream peer =
                ScriptedStream.script().read("220 ready\n").write("HELO me\n").build();
        try (TestRuntime test = TestRuntime.fifo()) {
            assertThatThrownBy(() -> test.run(() -> greet(peer))).isInstanceOf(TimeoutException.class);
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofSeconds(10));
        }
    }
}
