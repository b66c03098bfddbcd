package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.JoinMap;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** One and the same wait, ended in every way there is: each can be told from all others, where it waits and by who joins it. */
@org.junit.jupiter.api.Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class EndOfAWaitTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
    private final Channel<String> channel = Channel.bounded(1);
    private final CompletableFuture<Thread> waiting = new CompletableFuture<>();
    private final CompletableFuture<String> atTheWait = new CompletableFuture<>();

    @AfterEach
    void close() {
        runtime.close();
    }

    /** The wait, which notes what ended it, and lets it pass. */
    private String receive() throws InterruptedException {
        waiting.complete(Thread.currentThread());
        try {
            return channel.receive();
        } catch (InterruptedException | RuntimeException e) {
            atTheWait.complete(told(e));
            throw e;
        }
    }

    private static String told(Throwable e) {
        return e instanceof TaskCancelledException cancelled
                ? (cancelled.isOwn() ? "own " : "another's ")
                        + cancelled.reason().kind()
                : e.getClass().getSimpleName();
    }

    private static String told(JoinResult<?> result) {
        return switch (result) {
            case JoinResult.Success<?> success -> "success";
            case JoinResult.Failure<?>(Throwable e) -> "failed by " + told(e);
            case JoinResult.Cancelled<?>(CancelReason reason) -> "cancelled by " + reason.kind();
        };
    }

    private Thread untilItWaits() {
        Observe.untilParked(waiting.join());
        return waiting.join();
    }

    private interface Ending {
        /** Runs the wait and ends it; returns how the task that waited ended, as its joiner sees it. */
        JoinResult<?> end(EndOfAWaitTest test) throws Exception;
    }

    private static Arguments row(String name, String atTheWait, String forTheJoiner, Ending ending) {
        return Arguments.of(name, atTheWait, forTheJoiner, ending);
    }

    static Stream<Arguments> endings() {
        return Stream.of(
                row("interrupt", "InterruptedException", "failed by InterruptedException", test -> {
                    JoinHandle<String> task = test.runtime.spawn(test::receive);
                    test.untilItWaits().interrupt();
                    return task.result(LONG);
                }),
                row("abort", "own ABORT", "cancelled by ABORT", test -> {
                    JoinHandle<String> task = test.runtime.spawn(test::receive);
                    test.untilItWaits();
                    task.abort();
                    return task.result(LONG);
                }),
                row("token", "own TOKEN", "cancelled by TOKEN", test -> {
                    CancellationToken token = CancellationToken.create();
                    JoinHandle<String> task = test.runtime.spawn(() -> token.run(test::receive));
                    test.untilItWaits();
                    token.cancel("enough");
                    return task.result(LONG);
                }),
                row(
                        "timeout",
                        "own TIMEOUT",
                        "failed by TimeoutException",
                        test -> test.runtime
                                .spawn(() -> Timeout.call(Duration.ofMillis(5), test::receive))
                                .result(LONG)),
                row(
                        "scope",
                        "own SCOPE",
                        "cancelled by SCOPE",
                        test -> test.runtime.<JoinResult<?>, Exception>blockOn(() -> {
                            try (JoinSet<String> set = JoinSet.open()) {
                                set.spawn(test::receive);
                                test.untilItWaits();
                                set.abortAll();
                                return set.joinNext();
                            }
                        })),
                row(
                        "replacement",
                        "own SCOPE",
                        "cancelled by SCOPE",
                        test -> test.runtime.<JoinResult<?>, Exception>blockOn(() -> {
                            try (JoinMap<String, String> map = JoinMap.open()) {
                                JoinHandle<?> task = (JoinHandle<?>) map.spawn("key", test::receive);
                                test.untilItWaits();
                                map.spawn("key", () -> "newer");
                                return task.result(LONG);
                            }
                        })),
                row("shutdown", "own SHUTDOWN", "cancelled by SHUTDOWN", test -> {
                    JoinHandle<String> task = test.runtime.spawn(test::receive);
                    test.untilItWaits();
                    test.runtime.shutdown(LONG);
                    return task.result(LONG);
                }),
                row("close", "ChannelClosedException", "failed by ChannelClosedException", test -> {
                    JoinHandle<String> task = test.runtime.spawn(test::receive);
                    test.untilItWaits();
                    test.channel.close();
                    return task.result(LONG);
                }),
                row("abort of the joined task", "own ABORT", "failed by another's ABORT", test -> {
                    JoinHandle<String> task = test.runtime.spawn(test::receive);
                    test.untilItWaits();
                    TaskProbe<String> joiner =
                            TaskProbe.spawn(test.runtime, task::join).untilParked();
                    task.abort();
                    return joiner.handle().result(LONG);
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endings")
    void everyEnd_canBeTold(String name, String expectedAtTheWait, String expectedForTheJoiner, Ending ending)
            throws Exception {
        JoinResult<?> result = ending.end(this);
        assertThat(atTheWait.get(10, TimeUnit.SECONDS)).isEqualTo(expectedAtTheWait);
        assertThat(told(result)).isEqualTo(expectedForTheJoiner);
    }
}
