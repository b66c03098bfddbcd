package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.support.Observe;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every wait of every primitive: how it ends, and that it leaves nothing behind. A new wait joins as a row. */
class SyncWaitsTest extends SyncTestBase {
    /** A wait that would be granted by {@code grant}, and could be by nothing else. */
    record Row(
            String name,
            Body<?, Exception> plain,
            Bounded bounded,
            VoidBody<Exception> grant,
            Body<Boolean, Exception> grantIsStillThere) {
        @Override
        public String toString() {
            return name;
        }
    }

    interface Bounded {
        Object call(Duration timeout) throws Exception;
    }

    static Stream<Supplier<Row>> rows() {
        return Stream.of(
                named("acquire", () -> {
                    Semaphore semaphore = Semaphore.of(2);
                    return new Row(
                            "",
                            () -> semaphore.acquire(3),
                            timeout -> semaphore.acquire(3, timeout),
                            () -> semaphore.release(1),
                            () -> semaphore.tryAcquire(3) != null);
                }),
                named("lock", () -> {
                    Mutex<String> mutex = Mutex.of("v");
                    var held = mutex.tryLock();
                    return new Row("", mutex::lock, mutex::lock, held::close, () -> mutex.tryLock() != null);
                }),
                named("read", () -> {
                    RwLock<String> lock = RwLock.of("v");
                    var held = lock.tryWrite();
                    return new Row("", lock::read, lock::read, held::close, () -> lock.tryWrite() != null);
                }),
                named("write", () -> {
                    RwLock<String> lock = RwLock.of("v");
                    var held = lock.tryRead();
                    return new Row("", lock::write, lock::write, held::close, () -> lock.tryWrite() != null);
                }),
                named("notified", () -> {
                    Notify notify = new Notify();
                    return new Row(
                            "",
                            () -> {
                                notify.notified();
                                return "";
                            },
                            timeout -> {
                                notify.notified(timeout);
                                return "";
                            },
                            notify::notifyOne,
                            notify::tryNotified);
                }),
                named("listener", () -> {
                    Notify notify = new Notify();
                    Notify.Listener listener = notify.listen();
                    return new Row(
                            "",
                            () -> {
                                listener.await();
                                return "";
                            },
                            timeout -> {
                                listener.await(timeout);
                                return "";
                            },
                            notify::notifyWaiters,
                            listener::tryAwait);
                }),
                named("barrier", () -> {
                    Barrier barrier = Barrier.of(2);
                    AtomicReference<Barrier.Passage> passed = new AtomicReference<>();
                    return new Row(
                            "",
                            barrier::await,
                            barrier::await,
                            () -> passed.set(barrier.tryAwait()),
                            () -> passed.get() == null && barrier.waiting() == 0);
                }),
                named("getOrInit", () -> {
                    OnceCell<String> cell = new OnceCell<>();
                    CountDownLatch goOn = new CountDownLatch(1);
                    CountDownLatch begun = new CountDownLatch(1);
                    Thread maker = Thread.ofVirtual().start(() -> {
                        try {
                            cell.getOrInit(() -> {
                                begun.countDown();
                                goOn.await();
                                return "made";
                            });
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                    });
                    await(begun);
                    return new Row(
                            "",
                            () -> cell.getOrInit(() -> "mine"),
                            timeout -> cell.getOrInit(() -> "mine", timeout),
                            () -> {
                                goOn.countDown();
                                maker.join();
                            },
                            () -> "made".equals(cell.get()));
                }),
                named("set-once", () -> {
                    SetOnce<String> once = new SetOnce<>();
                    return new Row("", once::await, once::await, () -> once.set("set"), () -> "set".equals(once.get()));
                }));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static Supplier<Row> named(String name, Supplier<Row> row) {
        return new Supplier<>() {
            @Override
            public Row get() {
                Row made = row.get();
                return new Row(name, made.plain, made.bounded, made.grant, made.grantIsStillThere);
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }

    /** Grants what the ended wait waited for, which must then be there for somebody else. */
    private static void assertNothingApplied(Row row) throws Exception {
        row.grant.run();
        assertThat(row.grantIsStillThere.call())
                .as("what the ended wait did not take")
                .isTrue();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void grant_endsTheWait(Supplier<Row> rows) throws Exception {
        Row row = rows.get();
        JoinHandle<?> task = waiting(() -> row.plain.call());
        row.grant.run();
        assertThat(task.result(LONG)).isInstanceOf(JoinResult.Success.class);
        Row bounded = rows.get();
        JoinHandle<?> other = waiting(() -> bounded.bounded.call(FOREVER));
        bounded.grant.run();
        assertThat(other.result(LONG)).isInstanceOf(JoinResult.Success.class);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void abort_endsTheWait_andNothingWasApplied(Supplier<Row> rows) throws Exception {
        Row row = rows.get();
        AtomicReference<TaskCancelledException> thrown = new AtomicReference<>();
        JoinHandle<?> task = waiting(() -> {
            try {
                return row.plain.call();
            } catch (TaskCancelledException e) {
                thrown.set(e);
                throw e;
            }
        });
        task.abort();
        assertCancelled(task);
        assertThat(thrown.get().reason().kind()).isEqualTo(CancelReason.Kind.ABORT);
        assertNothingApplied(row);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void abort_beforeTheWait_isObeyedByIt_andNothingWasApplied(Supplier<Row> rows) throws Exception {
        Row row = rows.get();
        CompletableFuture<JoinHandle<?>> self = new CompletableFuture<>();
        JoinHandle<?> task = runtime.spawn(() -> {
            self.join().abort();
            Thread.interrupted(); // whatever has arrived: the cancelled state is what counts
            return row.bounded.call(FOREVER);
        });
        self.complete(task);
        assertCancelled(task);
        assertNothingApplied(row);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void interrupt_endsTheWaitOfAPlatformThread_andNothingWasApplied(Supplier<Row> rows) throws Exception {
        Row row = rows.get();
        AtomicReference<Object> outcome = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                outcome.set(row.plain.call());
            } catch (Exception e) {
                outcome.set(e);
            }
        });
        thread.start();
        Observe.untilParked(thread);
        thread.interrupt();
        thread.join();
        assertThat(outcome.get()).isExactlyInstanceOf(InterruptedException.class);
        assertNothingApplied(row);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void timeout_endsTheWait_andNothingWasApplied(Supplier<Row> rows) throws Exception {
        Row row = rows.get();
        JoinHandle<?> task = runtime.spawn(() -> row.bounded.call(SHORT));
        assertThat(failure(task)).isInstanceOf(TimeoutException.class).hasMessageContaining("PT0.005S");
        // The same on a platform thread, which is no holder of anything: it parks timed, without a timer.
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                assertThatThrownBy(() -> row.bounded.call(SHORT)).isInstanceOf(TimeoutException.class);
                assertThatThrownBy(() -> row.bounded.call(Duration.ZERO)).isInstanceOf(TimeoutException.class);
                assertThatThrownBy(() -> row.bounded.call(Duration.ofSeconds(-1)))
                        .isInstanceOf(TimeoutException.class);
                outcome.complete(null);
            } catch (Throwable e) {
                outcome.complete(e);
            }
        });
        thread.start();
        thread.join();
        assertThat(outcome.join()).isNull();
        assertNothingApplied(row);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void aWaiter_isSeenInADump_atWhatItWaitsFor(Supplier<Row> rows) throws Exception {
        Row row = rows.get();
        JoinHandle<?> task = waiting(() -> row.plain.call());
        var wait = ((Waiter) task).openWait();
        assertThat(wait.point.toString()).doesNotContain("@");
        task.abort();
        assertCancelled(task);
    }
}
