package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.sync.Semaphore;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the carriers promise: nobody starves. Delays are measured and printed; the bound that fails a test is far above what
 * the design allows, and stands for "not at all".
 */
@Timeout(120)
class SchedulerTest {
    private static final Duration NEVER = Duration.ofSeconds(30);

    /** Loads that keep carriers busy with nothing but themselves. */
    private enum Load {
        YIELDING {
            @Override
            void start(TaskRuntime runtime) {
                for (int i = 0; i < 100; i++) {
                    runtime.spawn(() -> {
                        while (true) {
                            Task.yieldNow();
                            Task.checkCancelled();
                        }
                    });
                }
            }
        },
        PING_PONG {
            @Override
            void start(TaskRuntime runtime) {
                for (int i = 0; i < 50; i++) {
                    Channel<Integer> there = Channel.bounded(1);
                    Channel<Integer> back = Channel.bounded(1);
                    runtime.spawn(() -> {
                        while (true) {
                            there.send(1);
                            back.receive();
                        }
                    });
                    runtime.spawn(() -> {
                        while (true) {
                            there.receive();
                            back.send(1);
                        }
                    });
                }
            }
        },
        FULL_CHANNEL {
            @Override
            void start(TaskRuntime runtime) {
                Channel<Integer> channel = Channel.bounded(128);
                for (int i = 0; i < 4; i++) {
                    runtime.spawn(() -> {
                        while (true) {
                            channel.send(1);
                            channel.receive();
                        }
                    });
                }
            }
        };

        abstract void start(TaskRuntime runtime);
    }

    static Stream<Arguments> loadsOnOneAndTwoCarriers() {
        return Arrays.stream(Load.values()).flatMap(load -> Stream.of(Arguments.of(load, 1), Arguments.of(load, 2)));
    }

    @ParameterizedTest(name = "{0} on {1} carriers")
    @MethodSource("loadsOnOneAndTwoCarriers")
    void underLoad_spawnsFromOutside_blockingJobsAndTimers_getTheirTurn(Load load, int carriers) throws Exception {
        try (var runtime = TaskRuntime.builder().workerThreads(carriers).build()) {
            load.start(runtime);
            int samples = 200;
            long[] spawn = new long[samples];
            long[] blocking = new long[samples];
            long[] timer = new long[samples];
            for (int i = 0; i < samples; i++) {
                long asked = System.nanoTime();
                spawn[i] = runtime.spawn(() -> System.nanoTime()).join(NEVER) - asked;
                long[] ended = new long[1];
                blocking[i] = runtime.spawn(() -> {
                                    Task.blocking(() -> {
                                        ended[0] = System.nanoTime();
                                    });
                                    return System.nanoTime();
                                })
                                .join(NEVER)
                        - ended[0];
                timer[i] = runtime.spawn(() -> {
                            long slept = System.nanoTime();
                            Task.sleep(Duration.ofMillis(1));
                            return System.nanoTime() - slept - 1_000_000;
                        })
                        .join(NEVER);
            }
            print(load + " on " + carriers + ": external spawn", spawn);
            print(load + " on " + carriers + ": blocking job's completion", blocking);
            print(load + " on " + carriers + ": 1 ms timer", timer);
            assertThat(Arrays.stream(timer).min().getAsLong()).as("never early").isNotNegative();
        }
    }

    private static void print(String what, long[] nanos) {
        Arrays.sort(nanos);
        long p99 = nanos[nanos.length * 99 / 100 - 1] / 1_000;
        long max = nanos[nanos.length - 1] / 1_000;
        System.out.printf("%-60s p99 %6d us, max %6d us%n", what, p99, max);
    }

    @Test
    void aTaskWokenByOneThatThenComputes_runsOnAnotherCarrier() throws Exception {
        try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
            long[] delays = new long[10];
            for (int i = 0; i < delays.length; i++) {
                Channel<Long> channel = Channel.bounded(1);
                AtomicBoolean ran = new AtomicBoolean();
                JoinHandle<Long> woken = runtime.spawn(() -> {
                    channel.receive();
                    ran.set(true);
                    return System.nanoTime();
                });
                await().until(() -> ((dev.kumihimo.internal.wait.Waiter) woken).openWait() != null);
                JoinHandle<Long> waker = runtime.spawn(() -> {
                    long sent = System.nanoTime();
                    channel.send(sent);
                    while (!ran.get() && System.nanoTime() - sent < NEVER.toNanos()) {
                        Thread.onSpinWait();
                    }
                    assertThat(ran).as("before the waker was done").isTrue();
                    return sent;
                });
                delays[i] = woken.join() - waker.join();
            }
            print("woken by one that then computes", delays);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void carriersThatAreHeld_areReplaced_soThatOthersRun(int carriers) throws Exception {
        try (var runtime = TaskRuntime.builder().workerThreads(carriers).build()) {
            CountDownLatch release = new CountDownLatch(1);
            Object[] monitors = new Object[carriers];
            for (int i = 0; i < carriers; i++) {
                Object monitor = monitors[i] = new Object();
                Semaphore held = Semaphore.of(0);
                runtime.spawn(() -> {
                    synchronized (monitor) { // pins on 21; on later JDKs the loop holds the carrier
                        held.release(1);
                        while (release.getCount() > 0) {
                            LockSupport.parkNanos(1_000_000);
                            hold();
                        }
                    }
                });
                held.acquire().forget();
            }
            assertThat(runtime.spawn(() -> "ran").join(Duration.ofSeconds(20))).isEqualTo("ran");
            release.countDown();
        }
    }

    /** The carrier has slept in the driver, and the sentinel with it; what wakes them holds the carrier at once. */
    @Test
    void aCarrierThatIsHeldRightAfterItWasIdle_isReplacedToo() throws Exception {
        try (var runtime = TaskRuntime.builder().workerThreads(1).build()) {
            for (int round = 0; round < 5; round++) {
                runtime.spawn(() -> {}).join();
                await().until(() -> runtime.core().driver().isBlocked());
                AtomicBoolean childRan = new AtomicBoolean();
                JoinHandle<?> hog = runtime.spawn(() -> {
                    Task.spawn(() -> childRan.set(true));
                    while (!childRan.get()) {
                        Thread.onSpinWait();
                        if (Thread.interrupted()) {
                            return;
                        }
                    }
                });
                hog.join(Duration.ofSeconds(20));
                assertThat(childRan).isTrue();
            }
        }
    }

    /** Holds the carrier for a while, as native code does. */
    private static void hold() {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(300);
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }

    @Test
    void idleRuntimes_useNoCpu() throws Exception {
        try (var runtime =
                TaskRuntime.builder().workerThreads(2).threadName("idle").build()) {
            List<JoinHandle<?>> waiting = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                waiting.add(runtime.spawn(() -> Task.sleep(Duration.ofHours(1))));
            }
            await().until(() ->
                    waiting.stream().allMatch(t -> ((dev.kumihimo.internal.wait.Waiter) t).openWait() != null));
            long[] used = new long[1];
            await().atMost(Duration.ofSeconds(20))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> {
                        long before = used[0];
                        used[0] = cpuOf("idle-", "kumihimo-");
                        return used[0] - before < TimeUnit.MILLISECONDS.toNanos(5);
                    });
        }
    }

    private static long cpuOf(String... prefixes) {
        var threads = ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(info -> info != null && Arrays.stream(prefixes).anyMatch(info.getThreadName()::startsWith))
                .mapToLong(info -> threads.getThreadCpuTime(info.getThreadId()))
                .sum();
    }

    @Test
    void runtimes_doNotDisturbEachOther() throws Exception {
        try (var busy = TaskRuntime.builder().workerThreads(1).build();
                var calm = TaskRuntime.builder().workerThreads(1).build()) {
            AtomicBoolean stop = new AtomicBoolean();
            Semaphore started = Semaphore.of(0);
            JoinHandle<?> hog = busy.spawn(() -> {
                started.release(1);
                while (!stop.get()) {
                    Thread.onSpinWait();
                }
            });
            started.acquire().forget();
            for (int i = 0; i < 100; i++) {
                assertThat(calm.spawn(() -> 1).join(Duration.ofSeconds(20))).isEqualTo(1);
            }
            assertThat(hog.isFinished()).isFalse();
            stop.set(true);
            hog.join();
        }
    }

    @Test
    void anHttpClientMadeInATask_worksDuringAndAfterItsRuntime() throws Exception {
        var server = com.sun.net.httpserver.HttpServer.create(
                new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write(new byte[] {'o', 'k'});
            exchange.close();
        });
        server.start();
        try {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/"))
                    .timeout(Duration.ofSeconds(20))
                    .build();
            HttpClient[] client = new HttpClient[1];
            TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build();
            runtime.blockOn(() -> {
                client[0] = HttpClient.newHttpClient();
                assertThat(client[0]
                                .send(request, HttpResponse.BodyHandlers.ofString())
                                .body())
                        .isEqualTo("ok");
            });
            runtime.close();
            assertThat(client[0]
                            .send(request, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .isEqualTo("ok");
        } finally {
            server.stop(0);
        }
    }

    /** Else the JDK's pollers would have started on our carriers, and be gone with them. */
    @Test
    void theJdksSocketsOnVirtualThreads_workAfterARuntimeThatUsedThem() throws Exception {
        try (var server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                while (true) {
                    try (Socket peer = server.accept()) {
                        peer.getOutputStream().write(peer.getInputStream().read());
                    } catch (java.io.IOException e) {
                        return;
                    }
                }
            });
            TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build();
            assertThat(runtime.<Integer, Exception>blockOn(() -> roundTrip(server.getLocalPort())))
                    .isEqualTo(7);
            runtime.close();
            int[] answer = new int[1];
            Thread after = Thread.ofVirtual().start(() -> {
                try {
                    answer[0] = roundTrip(server.getLocalPort());
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            assertThat(after.join(Duration.ofSeconds(20))).isTrue();
            assertThat(answer[0]).isEqualTo(7);
        }
    }

    private static int roundTrip(int port) throws java.io.IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(7);
            return socket.getInputStream().read();
        }
    }

    /** See CarrierThread: nothing but the time of a benchmark tells whether it helps, so this tells that it is done. */
    @Test
    void aCarrier_isStartedApartFromTheOnesBefore() throws Exception {
        List<String> threads;
        long begun;
        do { // anew if it was looked so late that they may have ended: they live for three seconds
            begun = System.nanoTime();
            try (TaskRuntime runtime =
                    TaskRuntime.builder().workerThreads(1).threadName("apart").build()) {
                runtime.spawn(() -> 1).join();
                threads = Thread.getAllStackTraces().keySet().stream()
                        .map(Thread::getName)
                        .toList();
            }
        } while (System.nanoTime() - begun >= TimeUnit.SECONDS.toNanos(3));
        assertThat(threads).contains("apart-carrier-1-spacer-1", "apart-carrier-1-spacer-2");
    }
}
