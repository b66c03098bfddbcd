package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RwLockTest extends SyncTestBase {
    private final RwLock<String> lock = RwLock.of("v");

    @Test
    void readers_readTogether_andAWriterWaitsForAll() throws Exception {
        var one = lock.read();
        var two = lock.tryRead();
        assertThat(two).isNotNull();
        assertThat(lock.tryWrite()).isNull();
        JoinHandle<?> writer = waiting(() -> lock.write().close());
        one.close();
        assertThat(writer.isDone()).isFalse();
        two.close();
        writer.join(LONG);
    }

    @Test
    void readers_queueBehindAWaitingWriter() throws Exception { // tokio write_read_shared_pending
        var reading = lock.read();
        List<String> order = new ArrayList<>();
        JoinHandle<?> writer = waiting(() -> {
            try (var guard = lock.write()) {
                order.add("writer");
            }
        });
        JoinHandle<?> reader = waiting(() -> {
            try (var guard = lock.read()) {
                order.add("reader");
            }
        });
        assertThat(lock.tryRead()).as("a try does not barge").isNull();
        reading.close();
        writer.join(LONG);
        reader.join(LONG);
        assertThat(order).containsExactly("writer", "reader");
    }

    @Test
    void cancelledWriterAtTheHead_releasesTheReadersBehindIt()
            throws Exception { // tokio write_read_shared_drop_pending
        var reading = lock.read();
        JoinHandle<?> writer = waiting(() -> lock.write());
        JoinHandle<?> one = waiting(() -> lock.read().close());
        JoinHandle<?> two = waiting(() -> lock.read().close());
        writer.abort();
        assertCancelled(writer);
        one.join(LONG);
        two.join(LONG);
        reading.close();
        lock.tryWrite().close();
    }

    @Test
    void timedOutWriterAtTheHead_releasesTheReadersBehindIt() throws Exception {
        var reading = lock.read();
        JoinHandle<?> writer = runtime.spawn(() -> lock.write(Duration.ofMillis(200)));
        Observe.until("it waits, or no more", () -> ((Waiter) writer).openWait() != null || writer.isDone());
        JoinHandle<?> reader = runtime.spawn(() -> lock.read().close());
        assertThat(failure(writer)).isInstanceOf(TimeoutException.class).hasMessageContaining("read by");
        reader.join(LONG);
        reading.close();
    }

    @Test
    void readers_waitWhenAllReadersAreTaken() throws Exception { // tokio exhaust_reading
        RwLock<String> two = RwLock.of("v", 2);
        assertThat(two.maxReaders()).isEqualTo(2);
        var one = two.read();
        var other = two.read();
        assertThat(two.tryRead()).isNull();
        JoinHandle<?> third = waiting(() -> two.read().close());
        one.close();
        third.join(LONG);
        other.close();
        two.tryWrite().close();
    }

    @Test
    void downgrade_letsReadersIn_butNoWriterBetween() throws Exception {
        var writing = lock.write();
        writing.set("w");
        JoinHandle<?> reader = waiting(() -> lock.read().close());
        JoinHandle<?> writer = waiting(() -> lock.write().close());
        JoinHandle<?> late = waiting(() -> lock.read().close());
        var reading = writing.downgrade();
        reader.join(LONG);
        assertThat(writer.isDone()).isFalse();
        assertThat(late.isDone()).isFalse();
        assertThat(reading.get()).isEqualTo("w");
        assertThatThrownBy(writing::get)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        writing.close(); // idempotent: takes nothing from the reader
        assertThat(writer.isDone()).isFalse();
        reading.close();
        writer.join(LONG);
        late.join(LONG);
    }

    @Test
    void downgrade_letsNoReaderIn_whenAWriterIsNext() throws Exception {
        var writing = lock.write();
        JoinHandle<?> writer = waiting(() -> lock.write().close());
        JoinHandle<?> reader = waiting(() -> lock.read().close());
        var reading = writing.downgrade();
        assertThat(lock.tryRead()).isNull();
        assertThat(reader.isDone()).isFalse();
        reading.close();
        writer.join(LONG);
        reader.join(LONG);
    }

    @Test
    void downgrade_works_withASingleReader() throws Exception {
        RwLock<String> single = RwLock.of("v", 1);
        var reading = single.write().downgrade();
        assertThat(single.tryRead()).isNull();
        reading.close();
        single.tryWrite().close();
    }

    @Test
    void theWriter_thatAsksAgain_isToldAtOnce() throws Exception {
        JoinHandle<?> task = runtime.spawn(() -> {
            try (var guard = lock.write()) {
                assertThatThrownBy(() -> lock.write(FOREVER)).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() ->
                                Select.of().on(lock.reading(), again -> "read").await())
                        .isInstanceOf(IllegalStateException.class);
                assertThat(lock.tryRead()).isNull();
                lock.read();
            }
        });
        assertThat(failure(task))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(task.name())
                .hasMessageContaining("would wait for itself");
        lock.write().downgrade().close();
        lock.write().close();
    }

    @Test
    void guards_areClosedByTheirHolderOnly_andOnce() throws Exception {
        var writing = lock.write();
        assertThat(failure(runtime.spawn(writing::close))).hasMessageContaining("cannot unlock");
        assertThat(failure(runtime.spawn(() -> writing.downgrade()))).hasMessageContaining("cannot unlock");
        assertThat(lock.tryRead()).isNull();
        writing.close();
        writing.close();
        var reading = lock.read();
        assertThat(failure(runtime.spawn(reading::close))).hasMessageContaining("cannot unlock");
        assertThat(lock.tryWrite()).isNull();
        reading.close();
        reading.close();
        assertThatThrownBy(reading::get).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> writing.set("w")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(writing::downgrade).isInstanceOf(IllegalStateException.class);
        lock.tryWrite().close();
    }

    @Test
    void badBounds_areNamed() {
        assertThatThrownBy(() -> RwLock.of("v", 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxReaders=0 must be 1 to " + RwLock.MAX_READERS);
    }

    @Test
    void select_waitsForEitherLock() throws Exception {
        var writing = lock.write();
        JoinHandle<String> reader = waiting(() -> Select.<String>of()
                .on(lock.reading(), guard -> {
                    try (guard) {
                        return "read " + guard.get();
                    }
                })
                .await());
        JoinHandle<String> writer = waiting(() -> Select.<String>of()
                .on(lock.writing(), guard -> {
                    try (guard) {
                        assertThatThrownBy(lock::read).isInstanceOf(IllegalStateException.class);
                        return "wrote " + guard.get();
                    }
                })
                .await());
        writing.set("w");
        writing.close();
        assertThat(reader.join(LONG)).isEqualTo("read w");
        assertThat(writer.join(LONG)).isEqualTo("wrote w");
        lock.tryWrite().close();
    }

    @Test
    void aSelectThatGivesUpAsAWriter_releasesTheReadersBehindIt() throws Exception {
        Notify stop = new Notify();
        var reading = lock.read();
        JoinHandle<String> writer = waiting(() -> Select.<String>of()
                .on(lock.writing(), guard -> "wrote")
                .on(stop, () -> "stopped")
                .await());
        JoinHandle<?> reader = waiting(() -> lock.read().close());
        stop.notifyOne();
        assertThat(writer.join(LONG)).isEqualTo("stopped");
        reader.join(LONG);
        reading.close();
    }

    @Test
    void writersAreAlone_andReadersSeeWholeWrites() throws Exception {
        RwLock<int[]> pair = RwLock.of(new int[2], 8);
        AtomicInteger torn = new AtomicInteger();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            boolean writes = i % 3 == 0;
            tasks.add(runtime.spawn(() -> {
                for (int n = 0; n < 300; n++) {
                    if (writes) {
                        try (var guard = pair.write()) {
                            guard.get()[0]++;
                            Task.yieldNow();
                            guard.get()[1]++;
                        }
                    } else {
                        try (var guard = pair.read()) {
                            if (guard.get()[0] != guard.get()[1]) {
                                torn.incrementAndGet();
                            }
                            if (n % 10 == 0) {
                                Task.yieldNow();
                            }
                        }
                    }
                }
            }));
        }
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
        assertThat(torn.get()).isZero();
        try (var guard = pair.write()) {
            assertThat(guard.get()).containsExactly(1_200, 1_200);
        }
    }

    @Test
    void toString_tellsWhoHoldsIt() throws Exception {
        assertThat(lock).hasToString("RwLock[free]");
        var one = lock.read();
        assertThat(lock).hasToString("RwLock[read by one]");
        var two = lock.read();
        assertThat(lock.waitPoint()).hasToString("read-write lock read by 2");
        one.close();
        two.close();
        var writing = lock.write();
        assertThat(lock.toString()).startsWith("RwLock[written by");
        writing.close();
    }
}
