package dev.kumihimo.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Semaphore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Races of everything that can end a wait, 100,000 in all: after each round nothing runs, no item is lost or doubled, no
 * permit is missing. The seed is printed and can be set with -Dkumihimo.seed.
 */
@Timeout(240)
class RacesTest {
    private static final long SEED = Long.getLong("kumihimo.seed", System.nanoTime());

    private static void settled(TaskRuntime runtime, List<? extends JoinHandle<?>> handles) {
        for (JoinHandle<?> handle : handles) {
            assertThat(handle.isFinished()).as("seed %d", SEED).isTrue();
        }
        assertThat(runtime.liveTasks()).isZero();
    }

    /** A receiver is aborted, times out or receives, while the sender sends: the item is with one of them. */
    @Test
    void handOver_againstAbortAndTimeout() throws Exception {
        System.out.println("seed " + SEED);
        Random random = new Random(SEED);
        try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
            for (int round = 0; round < 30_000; round++) {
                Channel<Integer> channel = round % 2 == 0 ? Channel.rendezvous() : Channel.bounded(1);
                int how = random.nextInt(3);
                JoinHandle<Integer> receiver = runtime.spawn(() -> how == 0
                        ? channel.receive(Duration.ofNanos(50_000))
                        : how == 1
                                ? dev.kumihimo.time.Timeout.<Integer, Exception>call(
                                        Duration.ofNanos(50_000), () -> channel.receive())
                                : channel.receive());
                JoinHandle<Boolean> sender = runtime.spawn(() -> {
                    try {
                        channel.send(1, Duration.ofMillis(2));
                        return true;
                    } catch (TimeoutException e) {
                        return false;
                    }
                });
                if (how == 2) {
                    for (int spin = random.nextInt(200); spin > 0; spin--) {
                        Thread.onSpinWait();
                    }
                    receiver.abort();
                }
                boolean received = receiver.result().isSuccess();
                boolean sent = sender.join();
                boolean buffered = channel.size() == 1;
                assertThat(sent)
                        .as("seed %d, round %d, how %d", SEED, round, how)
                        .isEqualTo(received || buffered);
                assertThat(received && buffered).isFalse();
            }
            await().until(() -> runtime.liveTasks() == 0);
        }
    }

    /** Many want permits, some give up in one way or another: all permits come back. */
    @Test
    void permits_againstAbortAndTimeout() throws Exception {
        Random random = new Random(SEED);
        try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
            Semaphore semaphore = Semaphore.of(3);
            for (int round = 0; round < 1_500; round++) {
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    int count = 1 + random.nextInt(3);
                    boolean timed = random.nextBoolean();
                    tasks.add(runtime.spawn(() -> {
                        try (var permit = timed
                                ? semaphore.acquire(count, Duration.ofNanos(100_000))
                                : semaphore.acquire(count)) {
                            Task.yieldNow();
                            return permit.count();
                        }
                    }));
                }
                for (JoinHandle<?> task : tasks) {
                    if (random.nextInt(3) == 0) {
                        task.abort();
                    }
                }
                for (JoinHandle<?> task : tasks) {
                    task.result();
                }
                assertThat(semaphore.availablePermits())
                        .as("seed %d, round %d", SEED, round)
                        .isEqualTo(3);
            }
            await().until(() -> runtime.liveTasks() == 0);
        }
    }

    /** Selects that send and selects that receive meet, and some are aborted: what was sent was received. */
    @Test
    void selects_againstSelectsAndAbort() throws Exception {
        Random random = new Random(SEED);
        try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
            for (int round = 0; round < 4_000; round++) {
                Channel<Integer> a = Channel.rendezvous();
                Channel<Integer> b = Channel.rendezvous();
                AtomicInteger sent = new AtomicInteger();
                AtomicInteger received = new AtomicInteger();
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int i = 0; i < 5; i++) {
                    tasks.add(runtime.spawn(() -> Select.<Integer>of()
                            .onSend(a, 1, sent::incrementAndGet)
                            .onSend(b, 1, sent::incrementAndGet)
                            .await()));
                    tasks.add(runtime.spawn(() -> Select.<Integer>of()
                            .onReceive(b, received::addAndGet)
                            .onReceive(a, received::addAndGet)
                            .after(Duration.ofMillis(1), () -> 0)
                            .await()));
                }
                tasks.get(random.nextInt(tasks.size())).abort();
                for (int i = 1; i < tasks.size(); i += 2) {
                    tasks.get(i).result();
                }
                for (int i = 0; i < tasks.size(); i += 2) {
                    tasks.get(i).abort(); // no receiver is left
                }
                for (JoinHandle<?> task : tasks) {
                    task.result();
                }
                assertThat(received.get()).as("seed %d, round %d", SEED, round).isEqualTo(sent.get());
            }
            await().until(() -> runtime.liveTasks() == 0);
        }
    }

    /** Runtimes that end while their tasks spawn, hand over, sleep and wait: every handle is finished. */
    @Test
    void shutdown_againstEverything() throws Exception {
        for (int round = 0; round < 400; round++) {
            TaskRuntime runtime = TaskRuntime.builder()
                    .workerThreads(1 + round % 2)
                    .threadName("raced")
                    .build();
            Channel<Integer> channel = Channel.bounded(1);
            List<JoinHandle<?>> handles = new ArrayList<>();
            for (int i = 0; i < 25; i++) {
                int kind = i % 5;
                handles.add(runtime.spawn(() -> {
                    switch (kind) {
                        case 0 -> Task.sleep(Duration.ofHours(1));
                        case 1 -> {
                            while (true) {
                                channel.send(1);
                            }
                        }
                        case 2 -> {
                            while (true) {
                                channel.receive();
                            }
                        }
                        case 3 -> Task.blocking(() -> Thread.sleep(3_600_000));
                        default ->
                            Task.spawn(() -> Task.sleep(Duration.ofHours(1))).join();
                    }
                }));
            }
            assertThat(runtime.shutdown(Duration.ofSeconds(30)))
                    .as("round %d", round)
                    .isEmpty();
            settled(runtime, handles);
            assertThat(handles.stream().map(JoinHandle::tryResult)).noneMatch(JoinResult::isSuccess);
        }
        await().atMost(Duration.ofSeconds(30))
                .until(() -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(t -> t.getName().startsWith("raced-carrier")));
    }

    /** Tasks that are aborted as they begin, run and end: each handle ends in exactly one way. */
    @Test
    void spawn_againstAbort() throws Exception {
        try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
            int succeeded = 0;
            for (int round = 0; round < 36_000; round++) {
                AtomicInteger ran = new AtomicInteger();
                JoinHandle<Integer> task = runtime.spawn(() -> ran.incrementAndGet());
                task.abort();
                JoinResult<Integer> result = task.result();
                assertThat(result.isSuccess()).isEqualTo(ran.get() == 1);
                succeeded += ran.get();
            }
            System.out.println("spawn against abort: " + succeeded + " of 36000 had run");
            await().until(() -> runtime.liveTasks() == 0);
        }
    }
}
