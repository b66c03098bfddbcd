package dev.kumihimo.test.guide;

import static dev.kumihimo.test.TestTasks.assertParked;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.TaskDump;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Mutex;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A dump on real carriers, as docs/testing.md quotes it. */
@Timeout(60)
class DumpGuideTest {
    private static TaskDump dump() throws Exception {
        try (TaskRuntime orders = TaskRuntime.builder().name("orders").build()) {
            Mutex<String> table = Mutex.of("");
            Channel<String> lines = Channel.rendezvous();
            var store = orders.spawnNamed("store", () -> {
                try (var guard = table.lock()) {
                    guard.set(lines.receive());
                    return guard.get();
                }
            });
            assertParked(store);
            var load = orders.spawnNamed("load", () -> {
                try (var guard = table.lock()) {
                    return guard.get();
                }
            });
            assertParked(load);
            return orders.dump();
        }
    }

    /** Without what differs from run to run: times, versions, and the numbers of tasks. */
    private static String normal(String text) {
        return GuideTest.normal(text)
                .replaceAll("JDK [^:]*:", "JDK 25:")
                .replaceAll("\"jdk\": *\"[^\"]*\"", "\"jdk\":\"25\"")
                .replaceAll("\\d{4}-\\d\\d-\\d\\dT[0-9:.]*Z", "2026-11-26T10:15:30Z")
                .replaceAll("#\\d+", "#1")
                .replaceAll("\"id\": *\\d+", "\"id\":1")
                .replaceAll("lambda\\$dump\\$\\d", "lambda")
                .replaceAll(" +", " ");
    }

    /** If it differs: what the test found is what belongs into docs/testing.md. */
    @Test
    void text_isWhatTheGuideQuotes() throws Exception {
        assertThat(normal(GuideTest.blockAfter("<!-- What DumpGuideTest finds -->")))
                .isEqualTo(normal(dump().toString()));
    }

    /** The guide breaks lines. */
    @Test
    void json_isWhatTheGuideQuotes() throws Exception {
        String quoted = GuideTest.blockAfter("<!-- What DumpGuideTest finds as JSON -->");
        assertThat(normal(quoted).replaceAll("\\s", ""))
                .isEqualTo(normal(dump().toJson()).replaceAll("\\s", ""));
    }
}
