package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.AsyncTest;
import dev.kumihimo.test.Rng;
import dev.kumihimo.test.TestClock;
import dev.kumihimo.test.net.SimListener;
import dev.kumihimo.test.net.SimNet;
import java.io.IOException;
import java.time.Duration;

/** A client and a server over a network that is cut for a while. */
class SimNetGuideTest {
    /** What is to be tested: it asks until it has an answer, and each attempt has a second. */
    private static String ask(SimNet net, String question) throws IOException, InterruptedException {
        Duration second = Duration.ofSeconds(1);
        while (true) {
            try (var lines = Framed.of(net.connect("client", "server", 80, second), LinesCodec.of(100))) {
                lines.send(question);
                return lines.receive(second);
            } catch (IOException e) {
                Task.sleep(second);
            }
        }
    }

    private static void answer(ByteStream stream) throws IOException {
        var lines = Framed.of(stream, LinesCodec.of(100));
        for (String line; (line = lines.receiveOrNull()) != null; ) {
            lines.send("re: " + line);
        }
    }

    @AsyncTest(schedules = 100)
    void anAnswerComes_whenTheNetworkIsBack(Rng rng, TestClock clock) throws Exception {
        SimNet net = SimNet.of(rng); // what it draws is replayed with the order
        net.all().latencyExponential(Duration.ofMillis(5)).loss(0.01).fragments(3);
        SimListener listener = net.listen("server", 80);
        var server = Task.spawn(() -> TcpServer.serve(listener, SimNetGuideTest::answer));

        net.link("client", "server").partition();
        var answer = Task.spawn(() -> ask(net, "hello"));
        Task.sleep(Duration.ofSeconds(10));
        assertThat(answer.isDone()).isFalse();
        net.link("client", "server").repair();
        assertThat(answer.join()).isEqualTo("re: hello");
        assertThat(clock.elapsed()).isLessThan(Duration.ofMinutes(1));

        listener.close();
        server.join();
    }
}
