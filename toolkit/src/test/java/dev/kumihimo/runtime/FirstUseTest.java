package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.support.ForkedJvm;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A JVM whose first use of the toolkit is not from its main thread. */
@Timeout(90)
class FirstUseTest {
    @Test
    void aVirtualThreadOfTheJdk_canBeTheFirst() throws Exception {
        assertThat(ForkedJvm.run(ForkedJvm.WITH_FLAG, Program.class)).contains("first 42");
    }

    /** What the forked JVM runs. */
    static final class Program {
        public static void main(String[] args) throws Exception {
            Thread first = Thread.ofVirtual().start(() -> {
                try {
                    System.out.println("first " + Task.spawn(() -> 42).join());
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            if (!first.join(Duration.ofSeconds(20))) {
                System.exit(1);
            }
        }
    }

    @Test
    void aWaitShorterThanItsFirstUseOfTheClock_timesOut() throws Exception {
        assertThat(ForkedJvm.run(ForkedJvm.WITH_FLAG, ShortWait.class)).contains("timed out");
    }

    /** What the other forked JVM runs. */
    static final class ShortWait {
        public static void main(String[] args) throws Exception {
            try {
                Channel.unbounded().receive(Duration.ofNanos(1));
            } catch (TimeoutException e) {
                System.out.println("timed out");
            }
        }
    }
}
