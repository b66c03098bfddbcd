package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.ForkedJvm;
import dev.kumihimo.sync.Barrier;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.Semaphore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    /** In a virtual thread that loads or initialises a class and is held up by that, a spin lock would be held. */
    @Test
    void whatIsNeededUnderALock_isInitialisedBefore() throws Exception {
        List<String> options = new ArrayList<>(ForkedJvm.WITH_FLAG);
        options.add("-Xlog:class+init=info");
        String output = ForkedJvm.run(options, Points.class);
        String before = output.substring(0, output.indexOf("points are made"));
        for (String needed : List.of(
                "internal/wait/Wait",
                "internal/wait/WakeList",
                "channel/ChannelClosedException",
                "channel/Permit",
                "channel/BroadcastCore$Lag",
                "sync/SemaphoreClosedException",
                "sync/Barrier$Passage")) {
            assertThat(before).contains("Initializing 'dev/kumihimo/" + needed + "'");
        }
    }

    /** What that forked JVM runs. */
    static final class Points {
        public static void main(String[] args) {
            Object[] points = {Channel.bounded(1), Broadcast.create(1), Semaphore.of(0), Barrier.of(1)};
            System.out.println("points are made: " + points.length);
        }
    }

    /** A message made under a lock is no call site that has to be linked first. */
    @ParameterizedTest
    @ValueSource(classes = {Channel.class, Semaphore.class, Mutex.class, Barrier.class, Select.class})
    void messages_areMadeWithoutLinking(Class<?> type) throws Exception {
        Path classes = Path.of(
                        type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .resolve(type.getPackageName().replace('.', '/'));
        try (Stream<Path> files = Files.list(classes)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
                        .as(file.toString())
                        .doesNotContain("StringConcatFactory");
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
