package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.test.LeakPolicy;
import dev.kumihimo.test.ScheduleError;
import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** What a test leaves behind, as docs/testing.md quotes it. */
class LeaksGuideTest {
    private static void leavesThreeThings() throws Exception {
        TaskRuntime tasks = TaskRuntime.current();
        Semaphore permits = Semaphore.of(2);
        permits.acquire();
        Channel<String> lines = Channel.bounded(1);
        tasks.spawnNamed("reader", () -> lines.receive());
        tasks.spawnNamed("writer", () -> {
            throw new IOException("no disk");
        });
    }

    private static ScheduleError left() {
        return catchThrowableOfType(ScheduleError.class, () -> {
            try (TestRuntime test = TestRuntime.builder().leaks(LeakPolicy.FAIL).build()) {
                test.run(LeaksGuideTest::leavesThreeThings);
                test.finish();
            }
        });
    }

    /** If it differs: what the test found is what belongs into docs/testing.md. */
    @Test
    void whatIsLeft_isWhatTheGuideQuotes() throws Exception {
        ScheduleError left = left();
        GuideTest.assertQuotes("<!-- What LeaksGuideTest finds -->", String.valueOf(left.getMessage()));
        assertThat(left).hasCauseInstanceOf(IOException.class);
    }
}
