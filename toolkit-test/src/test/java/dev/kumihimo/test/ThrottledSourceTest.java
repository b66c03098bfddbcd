package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.io.ByteSource;
import dev.kumihimo.io.ByteStreams;
import dev.kumihimo.io.DuplexPair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.Timeout;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When bytes come, on a clock that stands still: those of a throttled source, and of a pipe within a time. */
class ThrottledSourceTest {
    private final TestRuntime test = TestRuntime.fifo();

    @AfterEach
    void close() {
        test.close();
    }

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    private long now() {
        return test.clock().elapsed().toMillis();
    }

    private static ByteSource bytes(int count) {
        return ByteStreams.take(ByteStreams.repeat((byte) 1), count);
    }

    @Test
    void read_takesATwentiethOfASecond_andPausesForIt() throws Exception {
        test.run(() -> {
            ByteSource slow = ByteStreams.throttled(bytes(1_000), 1_000);
            ByteBuffer target = ByteBuffer.allocate(10_000);
            assertThat(slow.read(target)).isEqualTo(50);
            assertThat(now()).isZero();
            assertThat(slow.read(target)).isEqualTo(50);
            assertThat(now()).isEqualTo(50);
            assertThat(slow.read(target.limit(110))).isEqualTo(10);
            assertThat(now()).isEqualTo(100);
            assertThat(slow.read(target.limit(120))).isEqualTo(10);
            assertThat(now()).as("ten bytes cost less").isEqualTo(110);
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void copy_takesTheTimeOfItsBytes_andIdleTimeIsNotMadeUpFor() throws Exception {
        test.run(() -> {
            ByteSource slow = ByteStreams.throttled(bytes(3_000), 1_000);
            Task.sleep(millis(5_000));
            assertThat(ByteStreams.copy(slow, ByteStreams.nullSink())).isEqualTo(3_000);
            assertThat(now())
                    .as("all but the first piece waited; and the end for the last")
                    .isEqualTo(8_000);
        });
    }

    @Test
    void read_isOfOneByteAtLeast_andPausesAreRoundedUp() throws Exception {
        test.run(() -> {
            ByteSource slow = ByteStreams.throttled(bytes(10), 3);
            ByteBuffer target = ByteBuffer.allocate(10);
            for (int i = 0; i < 4; i++) {
                assertThat(slow.read(target)).isOne();
            }
            assertThat(test.clock().elapsed()).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
            assertThat(now()).isLessThan(1_010);
        });
    }

    @Test
    void pause_isCutShort_byTimesAndAborts_andNothingIsRead() throws Exception {
        test.run(() -> {
            ByteSource source = bytes(100);
            ByteSource slow = ByteStreams.throttled(source, 100);
            ByteBuffer target = ByteBuffer.allocate(5);
            assertThat(slow.read(target, Duration.ZERO)).isEqualTo(5);
            target.clear();
            assertThat(slow.tryRead(target)).isZero();
            assertThatThrownBy(() -> slow.read(target, Duration.ZERO)).isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> slow.read(target, millis(20))).isInstanceOf(SocketTimeoutException.class);
            assertThat(now()).isEqualTo(20);
            assertThatThrownBy(() -> Timeout.call(millis(20), () -> slow.read(target)))
                    .isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(40);
            JoinHandle<Integer> reader = Task.spawn(() -> slow.read(target));
            Task.sleep(millis(1));
            reader.abort();
            assertThat(reader.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(slow.read(target, millis(20))).isEqualTo(5);
            assertThat(now()).isEqualTo(50);
            assertThat(slow.read(ByteBuffer.allocate(0)))
                    .as("no room, no pause")
                    .isZero();
            assertThat(now()).isEqualTo(50);
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void read_waitsForBytesAfterThePause_withinOneTime() throws Exception {
        test.run(() -> {
            DuplexPair pair = ByteStreams.duplex(100);
            ByteSource slow = ByteStreams.throttled(pair.second(), 100);
            ByteBuffer target = ByteBuffer.allocate(5);
            pair.first().writeAll(ByteBuffer.allocate(5));
            slow.read(target);
            target.clear();
            assertThatThrownBy(() -> slow.read(target, millis(80))).isInstanceOf(SocketTimeoutException.class);
            assertThat(now()).isEqualTo(80);
            JoinHandle<Integer> reader = Task.spawn(() -> slow.read(target, millis(80)));
            Task.sleep(millis(70));
            pair.first().writeAll(ByteBuffer.allocate(3));
            assertThat(reader.join()).isEqualTo(3);
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void select_isTold_whenThePauseIsOver() throws Exception {
        test.run(() -> {
            ByteSource slow = ByteStreams.throttled(bytes(100), 100);
            ByteBuffer target = ByteBuffer.allocate(5);
            for (int i = 0; i < 3; i++) {
                Select.<Boolean>of().onReadable(slow.readable(), () -> true).await();
                assertThat(slow.tryRead(target)).isEqualTo(5);
                target.clear();
                assertThat(now()).isEqualTo(50L * i);
            }
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void pipe_isReadWithinATime() throws Exception {
        test.run(() -> {
            DuplexPair pair = ByteStreams.duplex(4);
            ByteBuffer target = ByteBuffer.allocate(4);
            assertThatThrownBy(() -> pair.first().read(target, Duration.ofHours(1)))
                    .isInstanceOf(SocketTimeoutException.class);
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofHours(1));
            JoinHandle<Integer> first = Task.spawn(() -> pair.first().read(target));
            Task.yieldNow();
            assertThatThrownBy(() -> pair.first().read(ByteBuffer.allocate(1), Duration.ofHours(1)))
                    .as("the turn of another")
                    .isInstanceOf(SocketTimeoutException.class);
            pair.second().writeAll(ByteBuffer.allocate(2));
            assertThat(first.join()).isEqualTo(2);
        });
        assertThat(test.timers()).isZero();
    }
}
