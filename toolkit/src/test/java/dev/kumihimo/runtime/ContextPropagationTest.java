package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.task.JoinMap;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.task.TaskTracker;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.context.integration.Slf4jThreadLocalAccessor;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.MDC;

/** How thread-bound context travels from who spawns to what is spawned. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class ContextPropagationTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final ThreadLocal<String> TENANT = new ThreadLocal<>();

    /** Of a thread-local of the test's own, noting what happens in which order. */
    private static final class Tenants implements ContextPropagation {
        private final Queue<String> notes = new ConcurrentLinkedQueue<>();

        @Override
        public Snapshot capture() {
            String captured = TENANT.get();
            return () -> {
                String before = TENANT.get();
                TENANT.set(captured);
                notes.add("open");
                return () -> {
                    notes.add("close");
                    TENANT.set(before);
                };
            };
        }
    }

    private final Tenants tenants = new Tenants();
    private final TaskRuntime runtime = TaskRuntime.builder()
            .workerThreads(1)
            .maxBlockingThreads(1)
            .contextPropagation(tenants)
            .build();

    @AfterEach
    void close() {
        TENANT.remove();
        MDC.clear();
        runtime.close();
    }

    /** A way to have something run by a runtime, and its result. */
    private interface Way {
        String run(TaskRuntime runtime, Body<String, Exception> body) throws Exception;
    }

    static Stream<Arguments> ways() {
        return Stream.of(
                way("spawn", (runtime, body) -> runtime.spawn(body).join(LONG)),
                way(
                        "spawn, void",
                        (runtime, body) ->
                                throughVoid(body, run -> runtime.spawn(run).join(LONG))),
                way(
                        "spawnNamed",
                        (runtime, body) -> runtime.spawnNamed("n", body).join(LONG)),
                way(
                        "spawnBlocking",
                        (runtime, body) -> runtime.spawnBlocking(body).join(LONG)),
                way(
                        "spawnBlockingWhenRoom",
                        (runtime, body) -> runtime.spawnBlockingWhenRoom(body).join(LONG)),
                way("blockOn", (runtime, body) -> runtime.blockOn(body)),
                way(
                        "Task.spawn",
                        (runtime, body) ->
                                runtime.blockOn(() -> Task.spawn(body).join(LONG))),
                way(
                        "Task.spawnBlocking",
                        (runtime, body) ->
                                runtime.blockOn(() -> Task.spawnBlocking(body).join(LONG))),
                way("Task.blocking", (runtime, body) -> runtime.blockOn(() -> Task.blocking(body))),
                way(
                        "JoinSet",
                        (runtime, body) -> runtime.blockOn(() -> {
                            try (JoinSet<String> set = JoinSet.open()) {
                                set.spawn(body);
                                return set.joinAll().get(0);
                            }
                        })),
                way(
                        "JoinSet.spawnBlocking",
                        (runtime, body) -> runtime.blockOn(() -> {
                            try (JoinSet<String> set = JoinSet.open()) {
                                set.spawnBlocking(body);
                                return set.joinAll().get(0);
                            }
                        })),
                way(
                        "JoinMap",
                        (runtime, body) -> runtime.blockOn(() -> {
                            try (JoinMap<Integer, String> map = JoinMap.open()) {
                                map.spawn(1, body);
                                return map.joinNext().result().get();
                            }
                        })),
                way(
                        "TaskTracker",
                        (runtime, body) -> runtime.blockOn(
                                () -> TaskTracker.create().spawn(body).join(LONG))),
                way(
                        "TaskTracker.spawnBlocking",
                        (runtime, body) -> runtime.blockOn(
                                () -> TaskTracker.create().spawnBlocking(body).join(LONG))),
                way("asExecutorService", (runtime, body) -> {
                    try (ExecutorService executor = runtime.asExecutorService()) {
                        return executor.submit(body::call).get();
                    }
                }),
                way("threadFactory", (runtime, body) -> {
                    AtomicReference<String> seen = new AtomicReference<>();
                    Thread thread = runtime.threadFactory().newThread(() -> {
                        try {
                            seen.set(body.call());
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    });
                    thread.start();
                    thread.join();
                    return seen.get();
                }));
    }

    private static Arguments way(String name, Way way) {
        return Arguments.of(name, way);
    }

    private interface Spawn {
        void run(VoidBody<Exception> body) throws Exception;
    }

    private static String throughVoid(Body<String, Exception> body, Spawn spawn) throws Exception {
        AtomicReference<String> seen = new AtomicReference<>();
        spawn.run(() -> seen.set(body.call()));
        return seen.get();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ways")
    void theContextOfTheSpawn_isThatOfTheBody(String name, Way way) throws Exception {
        for (String tenant : new String[] {"one", "two", null}) {
            TENANT.set(tenant);
            assertThat(way.run(runtime, TENANT::get)).isEqualTo(tenant);
            assertThat(TENANT.get()).as("the caller's own").isEqualTo(tenant);
        }
        long opened = tenants.notes.stream().filter("open"::equals).count();
        assertThat(opened).isGreaterThanOrEqualTo(3);
        // the future of an executor is done within the body, and so before its context is closed
        await().untilAsserted(() ->
                assertThat(tenants.notes.stream().filter("close"::equals)).hasSize((int) opened));
    }

    @Test
    void itIsCaptured_whenTheTaskIsSpawned_notWhenItRuns() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        TENANT.set("then");
        JoinHandle<String> task = runtime.spawn(() -> {
            release.await();
            return TENANT.get();
        });
        Thread thread = runtime.threadFactory().newThread(() -> tenants.notes.add("seen " + TENANT.get()));
        TENANT.set("now");
        release.countDown();
        thread.start();
        thread.join();
        assertThat(task.join(LONG)).isEqualTo("then");
        assertThat(tenants.notes).contains("seen then");
    }

    @Test
    void aBlockingThread_hasNothingLeftOfIt_forTheNextJob() throws Exception {
        TENANT.set("first");
        Thread worker = runtime.spawnBlocking(() -> Thread.currentThread()).join(LONG);
        TENANT.remove();
        assertThat(onItsBlockingThread(runtime, TENANT::get)).isNull();
        assertThat(runtime.spawnBlocking(() -> Thread.currentThread()).join(LONG))
                .as("the same thread")
                .isSameAs(worker);
    }

    /** Runs something on the one blocking thread of a runtime, past its tasks. */
    private static String onItsBlockingThread(TaskRuntime of, Supplier<String> what) throws InterruptedException {
        AtomicReference<String> seen = new AtomicReference<>("unset");
        CountDownLatch ran = new CountDownLatch(1);
        of.core().blocking().execute(() -> {
            seen.set(what.get());
            ran.countDown();
        });
        ran.await();
        return seen.get();
    }

    @Test
    void itIsOpenAroundTheHooks_andClosedBeforeTheTaskIsJoined() throws Exception {
        Queue<String> notes = tenants.notes;
        try (TaskRuntime hooked = TaskRuntime.builder()
                .workerThreads(1)
                .contextPropagation(tenants)
                .onTaskStart(task -> notes.add("start " + TENANT.get()))
                .onTaskEnd((task, result) -> notes.add("end " + TENANT.get()))
                .build()) {
            TENANT.set("t");
            hooked.spawn(() -> notes.add("body " + TENANT.get())).join(LONG);
            assertThat(notes).containsExactly("open", "start t", "body t", "end t", "close");
        }
    }

    @Test
    void itIsClosed_afterAFailureAndAnAbort_andNeverOpened_forWhatDidNotBegin() throws Exception {
        JoinHandle<Object> failing = runtime.spawn(() -> {
            throw new IllegalStateException("expected");
        });
        assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> failing.join(LONG));
        assertThat(tenants.notes).containsExactly("open", "close");
        tenants.notes.clear();
        TaskProbe<Object> job = TaskProbe.spawnBlocking(runtime, () -> {
                    Thread.sleep(Duration.ofDays(1));
                    return null;
                })
                .untilParked();
        JoinHandle<?> queued = runtime.spawnBlocking(() -> 1);
        queued.abort();
        assertThat(queued.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        job.handle().abort();
        assertThat(job.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(tenants.notes).containsExactly("open", "close");
    }

    /* ---------------- What fails -------------- */

    /** A propagation that fails to capture when it is told to. */
    private static final class Breaking implements ContextPropagation {
        volatile boolean broken;

        @Override
        public Snapshot capture() {
            if (broken) {
                throw new IllegalStateException("no context");
            }
            return () -> () -> {};
        }
    }

    @Test
    void aCaptureThatThrows_isThrownByTheSpawn_andNothingIsStarted() {
        Breaking propagation = new Breaking();
        propagation.broken = true;
        AtomicReference<String> ran = new AtomicReference<>();
        try (TaskRuntime breaking = TaskRuntime.builder()
                        .workerThreads(1)
                        .contextPropagation(propagation)
                        .build();
                ExecutorService executor = breaking.asExecutorService()) {
            for (ThrowingCallable spawn : List.<ThrowingCallable>of(
                    () -> breaking.spawn(() -> ran.set("spawn")),
                    () -> breaking.spawnBlocking(() -> ran.set("spawnBlocking")),
                    () -> breaking.spawnBlockingWhenRoom(() -> ran.set("spawnBlockingWhenRoom")),
                    () -> breaking.blockOn(() -> ran.set("blockOn")),
                    () -> breaking.threadFactory().newThread(() -> ran.set("threadFactory")),
                    () -> executor.execute(() -> ran.set("executor")))) {
                assertThatIllegalStateException().isThrownBy(spawn).withMessage("no context");
            }
            assertThat(breaking.liveTasks()).isZero();
        }
        assertThat(ran).hasValue(null);
    }

    @Test
    void aCaptureThatThrows_leavesNoMemberInASetAndNoCountInATracker() throws Exception {
        Breaking propagation = new Breaking();
        try (TaskRuntime breaking = TaskRuntime.builder()
                .workerThreads(1)
                .contextPropagation(propagation)
                .build()) {
            breaking.blockOn(() -> {
                TaskTracker tracker = TaskTracker.create();
                try (JoinSet<String> set = JoinSet.open();
                        JoinMap<Integer, String> map = JoinMap.open()) {
                    propagation.broken = true;
                    assertThatIllegalStateException().isThrownBy(() -> set.spawn(() -> "never"));
                    assertThatIllegalStateException().isThrownBy(() -> set.spawnBlocking(() -> "never"));
                    assertThatIllegalStateException().isThrownBy(() -> map.spawn(1, () -> "never"));
                    assertThatIllegalStateException().isThrownBy(() -> map.spawnBlocking(1, () -> "never"));
                    assertThatIllegalStateException().isThrownBy(() -> tracker.spawn(() -> "never"));
                    assertThatIllegalStateException().isThrownBy(() -> tracker.spawnBlocking(() -> "never"));
                    propagation.broken = false;
                    assertThat(set.size()).isZero();
                    assertThat(map.size()).isZero();
                    assertThat(map.containsKey(1)).isFalse();
                    assertThat(tracker.size()).isZero();
                    set.spawn(() -> "fine");
                    assertThat(set.joinAll()).containsExactly("fine");
                }
                assertThat(breaking.liveTasks()).isOne();
            });
        }
    }

    @Test
    void anOpenThatThrows_failsTheTask_whoseBodyAndHooksDoNotRun() throws Exception {
        Queue<String> notes = new ConcurrentLinkedQueue<>();
        try (TaskRuntime breaking = TaskRuntime.builder()
                .workerThreads(1)
                .contextPropagation(() -> () -> {
                    throw new IllegalStateException("cannot open");
                })
                .onTaskStart(task -> notes.add("start"))
                .onTaskEnd((task, result) -> notes.add("end"))
                .build()) {
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> breaking.spawn(() -> notes.add("body")).join(LONG))
                    .withCauseInstanceOf(IllegalStateException.class)
                    .withStackTraceContaining("cannot open");
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() ->
                            breaking.spawnBlocking(() -> notes.add("body")).join(LONG))
                    .withStackTraceContaining("cannot open");
            assertThat(notes).isEmpty();
            Observe.until("none is left", () -> breaking.liveTasks() == 0);
        }
    }

    @Test
    void aCloseThatThrows_isLogged_andTheTaskEndsAsItWould() throws Exception {
        try (CapturedLog log = CapturedLog.open();
                TaskRuntime breaking = TaskRuntime.builder()
                        .workerThreads(1)
                        .contextPropagation(() -> () -> () -> {
                            throw new IllegalStateException("cannot close");
                        })
                        .build()) {
            assertThat(breaking.spawnNamed("t", () -> 1).join(LONG)).isOne();
            assertThat(log.messages(Level.WARN, "the context failed around task \"t\""))
                    .hasSize(1);
            Observe.until("it has ended", () -> breaking.liveTasks() == 0);
        }
    }

    @Test
    void aCaptureOfNothing_isRefused() {
        try (TaskRuntime breaking = TaskRuntime.builder()
                .workerThreads(1)
                .contextPropagation(() -> null)
                .build()) {
            assertThatNullPointerException()
                    .isThrownBy(() -> breaking.spawn(() -> 1))
                    .withMessageContaining("capture()");
            assertThat(breaking.liveTasks()).isZero();
        }
    }

    @Test
    void eachRuntime_hasItsOwn_andTheOneThatSpawnsDecides() throws Exception {
        try (TaskRuntime plain = TaskRuntime.builder().workerThreads(1).build()) {
            TENANT.set("t");
            assertThat(plain.spawn(() -> TENANT.get()).join(LONG)).isNull();
            assertThat(plain.spawn(() -> {
                                TENANT.set("of the plain one");
                                return runtime.spawn(() -> TENANT.get()).join(LONG);
                            })
                            .join(LONG))
                    .isEqualTo("of the plain one");
            assertThat(runtime.spawn(() -> plain.spawn(() -> TENANT.get()).join(LONG))
                            .join(LONG))
                    .isNull();
        }
    }

    /* ---------------- Ready-made -------------- */

    static Stream<Arguments> mdcs() {
        ContextRegistry registry = new ContextRegistry();
        registry.registerThreadLocalAccessor(new Slf4jThreadLocalAccessor());
        ContextSnapshotFactory factory = ContextSnapshotFactory.builder()
                .contextRegistry(registry)
                .clearMissing(true)
                .build();
        return Stream.of(
                Arguments.of("mdc()", ContextPropagation.mdc()),
                Arguments.of("Micrometer", MicrometerContext.propagation(factory)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mdcs")
    void theMdc_travels_asACopy(String name, ContextPropagation propagation) throws Exception {
        try (TaskRuntime service = TaskRuntime.builder()
                .workerThreads(1)
                .maxBlockingThreads(1)
                .contextPropagation(propagation)
                .build()) {
            MDC.put("request", "r1");
            assertThat(service.spawn(() -> {
                                MDC.put("step", "inner");
                                return MDC.get("request") + " "
                                        + Task.blocking(() -> MDC.get("request") + " " + MDC.get("step"));
                            })
                            .join(LONG))
                    .isEqualTo("r1 r1 inner");
            assertThat(MDC.get("step")).isNull();
            MDC.clear();
            assertThat(service.spawnBlocking(() -> "" + MDC.getCopyOfContextMap())
                            .join(LONG))
                    .as("on the thread of the job before")
                    .isIn("null", "{}");
            assertThat(service.spawn(() -> "" + MDC.getCopyOfContextMap()).join(LONG))
                    .isIn("null", "{}");
            MDC.put("request", "r2");
            service.spawnBlocking(() -> MDC.put("step", "inner")).join(LONG);
            assertThat(onItsBlockingThread(service, () -> "" + MDC.getCopyOfContextMap()))
                    .as("its own")
                    .isIn("null", "{}");
        }
    }

    @Test
    void micrometersGlobalRegistry_isLookedAtBySpawns() throws Exception {
        try (TaskRuntime service = TaskRuntime.builder()
                .workerThreads(1)
                .contextPropagation(MicrometerContext.propagation())
                .build()) {
            TENANT.set("t");
            ContextRegistry registry = ContextRegistry.getInstance();
            registry.registerThreadLocalAccessor("tenant", TENANT);
            try {
                assertThat(service.spawn(() -> TENANT.get()).join(LONG)).isEqualTo("t");
            } finally {
                registry.removeThreadLocalAccessor("tenant");
            }
            assertThat(service.spawn(() -> TENANT.get()).join(LONG)).isNull();
        }
    }
}
