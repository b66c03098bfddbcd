package dev.kumihimo.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.Observe;
import dev.kumihimo.sync.SetOnce;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Services that end without a signal; those that get one are in {@link SignalledJvmTest}. */
@Timeout(60)
class ServiceTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(20);

    private final List<String> events = new CopyOnWriteArrayList<>();
    private CapturedLog log;

    @BeforeEach
    void open() {
        log = CapturedLog.open();
    }

    @AfterEach
    void close() {
        log.close();
        assertThat(SignalSource.size())
                .as("signals that are still listened for")
                .isZero();
    }

    /** But for what the sentinel says about a busy machine, and what is told where this JVM was started in the background. */
    private List<String> warnings() {
        return log.messages(Level.WARN, "").stream()
                .filter(message -> !message.contains("has held carrier"))
                .filter(message -> !message.contains("is ignored by this process"))
                .toList();
    }

    private static Service.Report run(Service.Main main) throws InterruptedException {
        return Service.builder().drainTimeout(LONG).abortTimeout(LONG).run(main);
    }

    private static void forEver() throws InterruptedException {
        Task.sleep(Duration.ofDays(1));
    }

    @Test
    void shutdown_closesInOrder_thenCancels_thenDrains() throws Exception {
        Service.Report report = run(service -> {
            SetOnce<Boolean> cancelled = new SetOnce<>();
            service.closeFirst(
                    () -> events.add("one closed, token " + service.token().isCancelled()));
            service.closeFirst(
                    () -> events.add("two closed, token " + service.token().isCancelled()));
            service.token().onCancel(() -> {
                events.add("cancelled");
                cancelled.set(true);
            });
            service.spawn(() -> {
                cancelled.await();
                service.spawn(() -> events.add("spawned while it drains")).join();
                events.add("drained");
            });
            assertThat(service.shutdown("enough")).isTrue();
            assertThat(service.shutdown()).isFalse();
            forEver();
        });
        assertThat(events)
                .containsExactly(
                        "one closed, token false",
                        "two closed, token false",
                        "cancelled",
                        "spawned while it drains",
                        "drained");
        assertThat(report).isEqualTo(new Service.Report("enough", null, null, List.of(), List.of()));
        assertThat(report.exitCode()).isZero();
        assertThat(warnings()).isEmpty();
    }

    @Test
    void bodyThatReturns_endsTheService() throws Exception {
        Service.Report report = run(service -> {
            service.spawn(() -> events.add(service.token().awaitCancelled().message()));
        });
        assertThat(events).containsExactly("the service ends: its body has ended");
        assertThat(report.exitCode()).isZero();
    }

    @Test
    void bodyThatFails_endsTheServiceInOrder_with1() throws Exception {
        IOException planned = new IOException("planned");
        Service.Report report = run(service -> {
            service.spawn(() -> events.add(service.token().awaitCancelled().message()));
            throw planned;
        });
        assertThat(events).hasSize(1);
        assertThat(report.failure()).isSameAs(planned);
        assertThat(report.exitCode()).isEqualTo(1);
        assertThat(log.messages(Level.ERROR, "the body of the service failed")).hasSize(1);
        assertThat(Service.run(LONG, service -> {
                    throw planned;
                }))
                .isEqualTo(1);
        assertThat(Service.run(LONG, service -> {})).isZero();
    }

    @Test
    void bodyThatFindsThingsClosedOrItselfCancelled_hasNotFailed() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        List<Service.Main> mains = List.of(
                service -> service.closeFirst(channel).receive(),
                service -> service.closeFirst(socket).accept(),
                service -> {
                    try {
                        forEver();
                    } catch (InterruptedException e) {
                        throw new UncheckedIOException(new ClosedChannelException());
                    }
                },
                service -> service.token().awaitCancelled());
        for (Service.Main main : mains) {
            Service.Report report = run(service -> {
                service.spawn(() -> service.shutdown());
                main.run(service);
            });
            assertThat(report.failure()).isNull();
            assertThat(report.exitCode()).isZero();
        }
    }

    @Test
    void bodyThatFindsThingsClosedBeforeTheEnd_hasFailed() throws Exception {
        Service.Report report = run(service -> {
            throw new ClosedChannelException();
        });
        assertThat(report.failure()).isInstanceOf(ClosedChannelException.class);
        assertThat(report.exitCode()).isEqualTo(1);
    }

    @Test
    void bodyThatFailsOtherwiseWhileItEnds_hasFailed() throws Exception {
        Service.Report report = run(service -> {
            service.shutdown();
            try {
                forEver();
            } catch (InterruptedException e) {
                throw new IllegalStateException("planned");
            }
        });
        assertThat(report.failure()).hasMessage("planned");
        assertThat(report.exitCode()).isEqualTo(1);
    }

    @Test
    void cleanupOfTheBody_mayWait_inAShield() throws Exception {
        Service.Report report = run(service -> {
            try {
                service.shutdown();
                forEver();
            } finally {
                Task.shield(() -> service.spawn(() -> events.add("saved")).join());
            }
        });
        assertThat(events).containsExactly("saved");
        assertThat(report.exitCode()).isZero();
    }

    @Test
    void whatDoesNotDrain_isAborted_andNamed_andOthersInTheRuntimeAreNot() throws Exception {
        AtomicReference<Service> escaped = new AtomicReference<>();
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build()) {
            JoinHandle<?> unrelated = runtime.spawn(() -> forEver());
            Service.Report report = Service.builder()
                    .drainTimeout(SHORT)
                    .abortTimeout(LONG)
                    .runtime(runtime)
                    .run(service -> {
                        escaped.set(service);
                        service.spawnNamed("stubborn", () -> forEver());
                        service.spawnBlocking(() -> Thread.sleep(Duration.ofDays(1)));
                        assertThat(Task.current().runtime()).isSameAs(runtime);
                    });
            assertThat(report.aborted()).hasSize(2).contains("task \"stubborn\"");
            assertThat(report.aborted()).anyMatch(name -> name.startsWith("blocking job"));
            assertThat(report.left()).isEmpty();
            assertThat(report.exitCode()).isEqualTo(1);
            assertThat(log.messages(Level.WARN, "the service aborts what has not ended within PT0.02S: [blocking job"))
                    .hasSize(1);

            assertThat(runtime.isShutdown()).isFalse();
            assertThat(unrelated.isDone()).isFalse();
            JoinHandle<?> late = escaped.get().spawn(() -> events.add("late"));
            assertThat(late.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(events).isEmpty();
        }
    }

    @Test
    void whatDoesNotEndThoughItIsAborted_isLeft_andNamed() throws Exception {
        SetOnce<Boolean> release = new SetOnce<>();
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build()) {
            Service.Report report = Service.builder()
                    .drainTimeout(Duration.ZERO)
                    .abortTimeout(SHORT)
                    .runtime(runtime)
                    .run(service -> {
                        SetOnce<Boolean> begun = new SetOnce<>();
                        service.spawnNamed(
                                "shielded",
                                () -> Task.shield(() -> {
                                    begun.set(true);
                                    return release.await();
                                }));
                        begun.await();
                    });
            assertThat(report.aborted()).containsExactly("task \"shielded\"");
            assertThat(report.left()).containsExactly("task \"shielded\"");
            assertThat(report.exitCode()).isEqualTo(1);
            assertThat(log.messages(
                            Level.WARN, "what the service aborted has not ended within PT0.02S: [task \"shielded\"]"))
                    .hasSize(1);
            release.set(true);
        }
    }

    @Test
    void aRuntimeThatTheServiceMade_isShutDown_andItsOtherTasksAborted() throws Exception {
        AtomicReference<JoinHandle<?>> untracked = new AtomicReference<>();
        Service.Report report = run(service -> untracked.set(Task.spawn(() -> forEver())));
        assertThat(untracked.get().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(report.exitCode()).isZero();
    }

    @Test
    void closingThatFails_isLogged_andHindersNothing() throws Exception {
        Service.Report report = run(service -> {
            service.closeFirst(() -> {
                throw new IOException("planned");
            });
            service.closeFirst(() -> events.add("closed"));
        });
        assertThat(events).containsExactly("closed");
        assertThat(log.messages(Level.WARN, "closing "))
                .singleElement()
                .asString()
                .endsWith(" failed");
        assertThat(report.exitCode()).isZero();
    }

    @Test
    void closingThatHangs_isAborted_andNamed() throws Exception {
        AtomicBoolean neverBegan = new AtomicBoolean();
        AutoCloseable hanging = new AutoCloseable() {
            @Override
            public void close() throws InterruptedException {
                if (Task.currentOrNull() == null) {
                    neverBegan.set(true); // a thread of its own closes it then
                    return;
                }
                forEver();
            }

            @Override
            public String toString() {
                return "the door";
            }
        };
        Service.Report report;
        do { // anew if the drain was over before the task that closes had begun
            neverBegan.set(false);
            report = Service.builder().drainTimeout(SHORT).abortTimeout(LONG).run(service -> {
                service.closeFirst(hanging);
                service.spawn(() -> forEver());
            });
        } while (neverBegan.get());
        assertThat(report.aborted()).hasSize(2).contains("task \"closing the door\"");
        assertThat(report.left()).isEmpty();
    }

    @Test
    void closeFirst_onceTheEndHasBegun_closesAtOnce() throws Exception {
        run(service -> {
            service.spawn(() -> {
                service.token().awaitCancelled();
                service.closeFirst(() -> events.add("closed"));
                events.add("after it");
            });
        });
        assertThat(events).containsExactly("closed", "after it");
    }

    @Test
    void interruptOfTheRunner_endsTheServiceInOrder_andASecondOneCutsTheDrainShort() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread runner = Thread.ofPlatform().start(() -> {
            try {
                Service.builder()
                        .drainTimeout(ChronoUnit.FOREVER.getDuration())
                        .abortTimeout(LONG)
                        .run(service -> {
                            service.spawn(() -> {
                                service.token().awaitCancelled();
                                events.add("drained");
                            });
                            service.spawnNamed("stubborn", () -> forEver());
                            events.add("ready");
                            forEver();
                        });
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        Observe.until("it serves", () -> events.contains("ready"));
        runner.interrupt();
        Observe.until("it drains", () -> events.contains("drained"));
        runner.interrupt();
        runner.join();
        assertThat(thrown.get()).isExactlyInstanceOf(InterruptedException.class);
        assertThat(log.messages(Level.WARN, "task \"stubborn\"")).hasSize(1);
    }

    @Test
    void aCallerThatIsCancelled_endsTheServiceInOrder() throws Exception {
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build()) {
            JoinHandle<Service.Report> caller = runtime.spawn(() -> run(service -> {
                service.spawn(() -> {
                    service.token().awaitCancelled();
                    Task.sleep(SHORT);
                    events.add("drained");
                });
                events.add("ready");
                forEver();
            }));
            Observe.until("it serves", () -> events.contains("ready"));
            caller.abort();
            assertThat(caller.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(events).containsExactly("ready", "drained");
        }
    }

    @Test
    void theEndOfItsRuntime_isAFailure() throws Exception {
        TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
        Thread closer = Thread.ofPlatform().unstarted(runtime::close);
        Service.Report report = Service.builder().runtime(runtime).run(service -> {
            service.closeFirst(() -> events.add("closed"));
            closer.start();
            forEver();
        });
        closer.join();
        assertThat(report.failure()).isInstanceOf(TaskCancelledException.class);
        assertThat(report.exitCode()).isEqualTo(1);
        assertThat(events).containsExactly("closed");
        Service.Report refused = Service.builder().runtime(runtime).run(service -> events.add("begun"));
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(events).containsExactly("closed");
    }

    @Test
    void severalServices_runSideBySide() throws Exception {
        run(outer -> {
            Thread inner = Thread.ofPlatform().start(() -> {
                try {
                    events.add("inner " + Service.run(LONG, service -> {}));
                } catch (InterruptedException e) {
                    events.add("interrupted");
                }
            });
            inner.join();
            assertThat(outer.token().isCancelled()).isFalse();
        });
        assertThat(events).containsExactly("inner 0");
    }

    /** With no time to drain the tasks that close are aborted, perhaps before they begin. */
    @Test
    void whatIsToBeClosedFirst_isClosed_evenIfItsTaskNeverBegins() throws Exception {
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build()) {
            for (int round = 0; round < 50; round++) {
                AtomicInteger closed = new AtomicInteger();
                Service.builder().runtime(runtime).drainTimeout(Duration.ZERO).run(service -> {
                    for (int i = 0; i < 5; i++) {
                        service.closeFirst(closed::incrementAndGet);
                    }
                });
                assertThat(closed).hasValue(5);
            }
        }
    }

    /** Hangs until it is interrupted for the second time; a name that cannot be had keeps it from being closed by a task. */
    private static final class Hanging implements AutoCloseable {
        private final boolean isNamed;
        private final SetOnce<Thread> interrupted = new SetOnce<>();

        Hanging(boolean isNamed) {
            this.isNamed = isNamed;
        }

        @Override
        public void close() throws InterruptedException {
            try {
                forEver();
            } catch (InterruptedException e) {
                interrupted.set(Thread.currentThread());
                forEver();
            }
        }

        void end() throws Exception {
            interrupted.await(LONG).interrupt();
        }

        @Override
        public String toString() {
            if (!isNamed) {
                throw new IllegalStateException("no name");
            }
            return "the door";
        }
    }

    @Test
    void closingThatHangs_withoutATask_holdsUpNobody_andIsNamed() throws Exception {
        Hanging hanging = new Hanging(false);
        AutoCloseable quick = new AutoCloseable() {
            @Override
            public void close() {
                events.add("the last is closed");
            }

            @Override
            public String toString() {
                throw new IllegalStateException("no name");
            }
        };
        Service.Report report = Service.builder()
                .drainTimeout(LONG)
                .abortTimeout(Duration.ofSeconds(1)) // enough for the quick one, whatever else the machine does
                .run(service -> {
                    service.closeFirst(hanging);
                    service.closeFirst(() -> events.add("the next is closed"));
                    service.closeFirst(quick);
                });
        String name = "closing " + Hanging.class.getName();
        assertThat(report.aborted()).containsExactly(name);
        assertThat(report.left()).containsExactly(name);
        assertThat(report.exitCode()).isOne();
        assertThat(events).containsExactly("the next is closed", "the last is closed");
        hanging.end();
    }

    @Test
    void closingThatHangs_inARuntimeThatOthersHaveShutDown_holdsUpNobody_andIsNamed() throws Exception {
        Hanging hanging = new Hanging(true);
        try (TaskRuntime runtime = TaskRuntime.builder().build()) {
            Service.Report report = Service.builder()
                    .runtime(runtime)
                    .abortTimeout(SHORT)
                    .run(service -> {
                        service.closeFirst(hanging);
                        Thread.ofPlatform().start(runtime::close);
                        service.token().awaitCancelled();
                    });
            assertThat(report.left()).containsExactly("closing the door");
        }
        hanging.end();
    }

    @Test
    void whatIsToBeClosedFirst_isClosed_evenIfNoTaskCanBeStarted() throws Exception {
        Service.Report report = run(service -> {
            service.closeFirst(new AutoCloseable() {
                @Override
                public void close() {
                    events.add("one closed");
                }

                @Override
                public String toString() {
                    throw new IllegalStateException("planned");
                }
            });
            service.closeFirst(() -> events.add("two closed"));
            service.shutdown();
            service.token().awaitCancelled();
        });
        assertThat(events).containsExactlyInAnyOrder("one closed", "two closed");
        assertThat(report.exitCode()).isZero();
    }

    @Test
    void cancellingItsToken_endsTheService_with0() throws Exception {
        Service.Report report = run(service -> {
            service.closeFirst(() -> events.add("closed"));
            service.token().cancel("by hand");
            forEver();
        });
        assertThat(events).containsExactly("closed");
        assertThat(report.reason()).isEqualTo("its token was cancelled");
        assertThat(report.exitCode()).isZero();
    }

    @Test
    void aRegionAroundIt_knowsItsOwnCancellation() {
        assertThatExceptionOfType(TimeoutException.class)
                .isThrownBy(() -> dev.kumihimo.time.Timeout.call(SHORT, () -> run(service -> forEver())));
    }

    @Test
    void causesThatGoRound_areNotFollowedForEver() throws Exception {
        Service.Report report = run(service -> {
            service.shutdown();
            try {
                forEver();
            } catch (InterruptedException e) {
                IllegalStateException one = new IllegalStateException("one");
                one.initCause(new IllegalStateException("two", one));
                throw one;
            }
        });
        assertThat(report.failure()).hasMessage("one");
    }

    @Test
    void whatIsSpawnedAfterTheEnd_isToldWhy() throws Exception {
        AtomicReference<Service> ended = new AtomicReference<>();
        assertThat(run(ended::set).exitCode()).isZero();
        assertThat(ended.get().spawn(() -> {}).result())
                .isInstanceOfSatisfying(
                        JoinResult.Cancelled.class,
                        cancelled -> assertThat(cancelled.reason().message()).isEqualTo("the service has ended"));
    }

    @Test
    void aBodyThatIsEnded_isNotLoggedAsAFailureThatNobodyJoined() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Service.Report report = run(service -> {
                service.closeFirst(socket);
                service.shutdown();
                Task.blocking(socket::accept);
            });
            assertThat(report.exitCode()).isZero();
        }
        assertThat(warnings()).isEmpty();
    }

    /** Else a task that ends as soon as it is told would be aborted: told only when its time is over. */
    @Test
    void closingThatHangs_leavesTheTasksTheirTimeToDrain() throws Exception {
        SetOnce<Boolean> drained = new SetOnce<>();
        Service.Report report = Service.builder()
                .drainTimeout(LONG)
                .abortTimeout(SHORT)
                .run(service -> {
                    service.closeFirst(drained::await); // hangs while it is waited for
                    service.spawn(() -> {
                        service.token().awaitCancelled();
                        Task.sleep(SHORT); // what is under way
                        events.add("drained");
                        drained.set(true);
                    });
                    service.shutdown();
                    service.token().awaitCancelled();
                });
        assertThat(events).containsExactly("drained");
        assertThat(report.aborted()).isEmpty();
    }
}
