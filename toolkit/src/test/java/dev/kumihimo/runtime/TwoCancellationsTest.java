package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.time.Timeout;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A region ends a wait, and then, before the body has left it, what is around it is cancelled too: that is to be told. */
@org.junit.jupiter.api.Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class TwoCancellationsTest {
    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build();
    private final Channel<Integer> never = Channel.bounded(1);
    private final CancellationToken inner = CancellationToken.create("inner");
    private final CancellationToken outer = CancellationToken.create("outer");

    @AfterEach
    void close() {
        runtime.close();
    }

    private interface Region {
        void around(CancellationToken token, VoidBody<Exception> body) throws Exception;
    }

    static Stream<Arguments> regions() {
        return Stream.of(
                Arguments.of("token", (Region) (token, body) -> token.run(() -> {
                    token.cancel();
                    body.run();
                })),
                Arguments.of("deadline", (Region) (token, body) -> Timeout.call(Duration.ZERO, body)));
    }

    private TaskCancelledException waitInVain() {
        try {
            never.receive();
        } catch (InterruptedException e) {
            return (TaskCancelledException) e;
        }
        throw new AssertionError("received");
    }

    private static void check(Throwable e, CancelReason.Kind kind, Throwable first) {
        assertThat(e).isInstanceOfSatisfying(TaskCancelledException.class, told -> {
            assertThat(told.isOwn()).isTrue();
            assertThat(told.reason().kind()).isEqualTo(kind);
            assertThat(told.getSuppressed()).containsExactly(first);
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("regions")
    void anAbort_isTold_ifItComesBeforeTheRegionIsLeft(String name, Region region) throws Exception {
        JoinHandle<?> task = runtime.spawn(() -> {
            TaskCancelledException[] first = new TaskCancelledException[1];
            try {
                region.around(inner, () -> {
                    first[0] = waitInVain();
                    ((JoinHandle<?>) Task.current()).abort();
                    throw first[0];
                });
            } catch (TaskCancelledException e) {
                check(e, CancelReason.Kind.ABORT, first[0]);
                throw e;
            }
        });
        assertThat(task.result())
                .isInstanceOfSatisfying(
                        JoinResult.Cancelled.class,
                        end -> assertThat(end.reason().kind()).isEqualTo(CancelReason.Kind.ABORT));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("regions")
    void theTokenAround_isTold_andEndsItsOwnRegion(String name, Region region) throws Exception {
        runtime.blockOn(() -> {
            TaskCancelledException[] first = new TaskCancelledException[1];
            TaskCancelledException[] between = new TaskCancelledException[1];
            try {
                outer.run(() -> {
                    try {
                        region.around(inner, () -> {
                            first[0] = waitInVain();
                            outer.cancel();
                            throw first[0];
                        });
                    } catch (TaskCancelledException e) {
                        between[0] = e;
                        throw e;
                    }
                });
            } catch (TaskCancelledException e) {
                assertThat(e.isOwn()).isFalse();
                assertThat(e.reason().message()).contains("outer");
                assertThat(e).hasCause(between[0]);
            }
            check(between[0], CancelReason.Kind.TOKEN, first[0]);
            assertThat(between[0].reason().message()).contains("outer");
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        });
    }

    /** Streams tell of it by an exception of their own, and with the flag set. */
    @Test
    void anExceptionOfAStream_tellsOfTheAbortToo() throws Exception {
        JoinHandle<Boolean> task = runtime.spawn(() -> {
            try {
                inner.run(() -> {
                    inner.cancel();
                    InterruptedIOException told = new InterruptedIOException("cancelled");
                    told.initCause(waitInVain());
                    ((JoinHandle<?>) Task.current()).abort();
                    throw told;
                });
            } catch (InterruptedIOException e) {
                check(e.getCause(), e);
                return Thread.currentThread().isInterrupted();
            }
            return false;
        });
        assertThat(task.join()).isTrue();
    }

    private static void check(Throwable cause, InterruptedIOException told) {
        assertThat(cause)
                .isInstanceOfSatisfying(
                        TaskCancelledException.class,
                        e -> assertThat(e.reason().kind()).isEqualTo(CancelReason.Kind.ABORT));
        assertThat(told.getSuppressed()).hasSize(1);
    }

    @Test
    void anotherException_passesAsItIs() throws Exception {
        IllegalStateException thrown = new IllegalStateException();
        JoinHandle<?> task = runtime.spawn(() -> inner.run(() -> {
            inner.cancel();
            waitInVain();
            ((JoinHandle<?>) Task.current()).abort();
            throw thrown;
        }));
        assertThat(task.result()).isEqualTo(new JoinResult.Failure<>(thrown));
    }
}
