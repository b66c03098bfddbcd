package dev.kumihimo.test.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.Rng;
import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A worked example: a client that asks again, with more and more time in between, survives what a network does. */
@Timeout(60)
class RetryOverSimNetTest {
    /** The client under test. Each attempt has a second; between them it waits 100 ms, 200 ms, 400 ms and so on. */
    private record Client(SimNet net) {
        String ask(String question, int attempts) throws IOException, InterruptedException {
            Duration backOff = Duration.ofMillis(100);
            for (int i = 1; ; i++) {
                try {
                    return askOnce(question);
                } catch (IOException e) {
                    if (i == attempts) {
                        throw e;
                    }
                    Task.sleep(backOff);
                    backOff = backOff.multipliedBy(2);
                }
            }
        }

        private String askOnce(String question) throws IOException {
            Duration second = Duration.ofSeconds(1);
            try (var lines = Framed.of(net.connect("client", "server", 80, second), LinesCodec.of(100))) {
                lines.send(question);
                return lines.receive(second);
            }
        }
    }

    private static void serve(SimListener listener) throws InterruptedException {
        TcpServer.serve(listener, stream -> {
            var lines = Framed.of(stream, LinesCodec.of(100));
            for (String question; (question = lines.receiveOrNull()) != null; ) {
                lines.send("re: " + question);
            }
        });
    }

    @Test
    void client_survivesAPartitionOfTenSeconds() throws Exception {
        try (TestRuntime test = TestRuntime.seeded(1)) {
            test.run(() -> {
                SimNet net = SimNet.of(Rng.of(1));
                net.all().latency(Duration.ofMillis(5));
                SimListener listener = net.listen("server", 80);
                JoinHandle<?> server = Task.spawn(() -> serve(listener));

                net.link("client", "server").partition();
                JoinHandle<String> answer = Task.spawn(() -> new Client(net).ask("hello", 10));
                Task.sleep(Duration.ofSeconds(10));
                assertThat(answer.isDone()).isFalse();
                net.link("client", "server").repair();
                assertThat(answer.join()).isEqualTo("re: hello");

                listener.close();
                server.join();
            });
            // Attempts begin at 0, 1.1, 2.3, 3.7, 5.5 and 8.1 s. The seventh, at 12.3 s, takes four times the latency;
            // and once
            // more until the server has heard that the client is done.
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofMillis(12_325));
        }
    }

    @Test
    void client_survivesALossyNetwork_andAServerThatCrashes_underAnySchedule() {
        Explore.seeds(20).run(() -> {
            SimNet net = SimNet.of(Rng.of(2));
            net.all().latencyExponential(Duration.ofMillis(5)).loss(0.05).fragments(3);
            SimListener first = net.listen("server", 80);
            JoinHandle<?> dying = Task.spawn(() -> serve(first));
            Client client = new Client(net);
            for (int i = 0; i < 5; i++) {
                assertThat(client.ask("question " + i, 10)).isEqualTo("re: question " + i);
            }
            JoinHandle<String> answer = Task.spawn(() -> client.ask("in the dark", 10));
            Task.sleep(Duration.ofMillis(3));
            net.crash("server");
            dying.join();
            Task.sleep(Duration.ofSeconds(2));
            net.restart("server");
            SimListener second = net.listen("server", 80);
            JoinHandle<?> server = Task.spawn(() -> serve(second));
            assertThat(answer.join()).isEqualTo("re: in the dark");
            second.close();
            server.join();
        });
    }
}
