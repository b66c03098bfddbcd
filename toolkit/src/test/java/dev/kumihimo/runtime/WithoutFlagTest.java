package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.support.ForkedJvm;
import dev.kumihimo.task.JoinSet;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A JVM that was not started with the flag. */
@Timeout(90)
class WithoutFlagTest {
    @Test
    void everythingWorks_onTheJdksScheduler_andOneWarningNamesTheFlag() throws Exception {
        String output = ForkedJvm.run(List.of(), Program.class);
        assertThat(output).contains("SHARED", "5 joined", "timed out", "aborted ABORT", "closed twice");
        assertThat(output.lines().filter(line -> line.contains("WARN"))).hasSize(1);
        assertThat(output).contains("--add-opens java.base/java.lang=ALL-UNNAMED");
    }

    /** What the forked JVM runs. */
    static final class Program {
        public static void main(String[] args) throws Exception {
            for (int i = 0; i < 2; i++) {
                try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
                    System.out.println(runtime.capabilities().isolation());
                    runtime.blockOn(Program::work);
                }
            }
            System.out.println("closed twice");
        }

        private static void work() throws Exception {
            Channel<Integer> channel = Channel.bounded(1);
            int joined = 0;
            try (var set = JoinSet.<Integer>open()) {
                for (int i = 0; i < 5; i++) {
                    int number = i;
                    set.spawn(() -> {
                        Task.sleep(Duration.ofMillis(1));
                        channel.send(number);
                        return number;
                    });
                }
                for (int i = 0; i < 5; i++) {
                    channel.receive();
                }
                joined = set.joinAll().size();
            }
            System.out.println(joined + " joined");
            try {
                dev.kumihimo.time.Timeout.call(Duration.ofMillis(5), () -> Thread.sleep(60_000));
            } catch (TimeoutException e) {
                System.out.println("timed out");
            }
            JoinHandle<Integer> waiting = Task.spawn(() -> channel.receive());
            Task.yieldNow();
            waiting.abort();
            if (waiting.result() instanceof JoinResult.Cancelled<Integer>(CancelReason reason)) {
                System.out.println("aborted " + reason.kind());
            }
        }
    }
}
