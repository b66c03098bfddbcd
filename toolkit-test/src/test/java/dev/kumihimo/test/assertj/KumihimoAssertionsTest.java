package dev.kumihimo.test.assertj;

import static dev.kumihimo.test.assertj.KumihimoAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class KumihimoAssertionsTest {
    private static final JoinResult<Integer> SUCCESS = new JoinResult.Success<>(42);
    private static final JoinResult<Integer> FAILURE = new JoinResult.Failure<>(new IOException("no disk"));
    private static final JoinResult<Integer> CANCELLED =
            new JoinResult.Cancelled<>(new CancelReason(CancelReason.Kind.TIMEOUT, "too late"));

    private static void fails(ThrowingCallable assertion, String message) {
        assertThatThrownBy(assertion).isInstanceOf(AssertionError.class).hasMessageContaining(message);
    }

    @Test
    void results_thatAreAsExpected_pass() {
        assertThat(SUCCESS).isSuccess().hasValue(42).value().isEqualTo(42);
        assertThat(FAILURE)
                .isFailure()
                .hasCauseInstanceOf(IOException.class)
                .cause()
                .hasMessage("no disk");
        assertThat(CANCELLED).isCancelled().isCancelledBy(CancelReason.Kind.TIMEOUT);
        assertThat(new JoinResult.Success<>(null)).hasValue(null);
    }

    @Test
    void results_thatAreNot_failAndSayWhatTheyAre() {
        fails(() -> assertThat(SUCCESS).hasValue(43), "Expected the task to have returned <43>, but it returned <42>.");
        fails(() -> assertThat(SUCCESS).isFailure(), "Expected a failure, but the task returned <42>.");
        fails(() -> assertThat(SUCCESS).as("of b").isCancelled(), "[of b] Expected a cancellation");
        fails(() -> assertThat(FAILURE).isSuccess(), "but the task failed with java.io.IOException: no disk");
        fails(() -> assertThat(FAILURE).hasCauseInstanceOf(UncheckedIOException.class), "UncheckedIOException");
        fails(() -> assertThat(CANCELLED).hasValue(1), "but the task was cancelled (TIMEOUT): too late");
        fails(
                () -> assertThat(CANCELLED).isCancelledBy(CancelReason.Kind.ABORT),
                "by ABORT, but it was by TIMEOUT: too late");
        fails(() -> assertThat((JoinResult<?>) null).isSuccess(), "not to be null");
        assertThatThrownBy(() -> assertThat(FAILURE).isSuccess())
                .satisfies(e -> assertThat(e.getSuppressed()[0]).hasMessage("no disk"));
    }

    @Test
    void channels() {
        Channel<String> channel = Channel.bounded(2);
        assertThat(channel).isEmpty().isOpen().hasAvailableCapacity(2);
        assertThat(channel.trySend("a")).isTrue();
        assertThat(channel).hasSize(1);
        fails(() -> assertThat(channel).isEmpty(), "to hold 0 items, but it holds 1");
        fails(() -> assertThat(channel).hasSize(2), "to hold 2 items, but it holds 1");
        fails(() -> assertThat(channel).hasAvailableCapacity(2), "to have room for 2 items, but it has for 1");
        fails(() -> assertThat(channel).isClosed(), "to be closed, but it is open");
        fails(() -> assertThat(channel).isDrained(), "to be drained, but it is open");
        channel.close();
        assertThat(channel).isClosed();
        fails(() -> assertThat(channel).isOpen(), "to be open, but it is closed");
        fails(() -> assertThat(channel).isDrained(), "to be drained, but it is not empty");
        channel.tryReceive();
        assertThat(channel).isDrained();
    }

    @Test
    void handles() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<Integer> channel = Channel.rendezvous();
                JoinHandle<Integer> receiver = Task.spawn(() -> channel.receive());
                assertThat(receiver).isParked().isNotFinished();
                fails(() -> assertThat(receiver).isFinished(), "to have ended, but it has not");
                fails(() -> assertThat(receiver).result(), "to have ended, but it has not");
                fails(() -> assertThat(receiver).completesWithin(Duration.ofSeconds(1)), "has not ended within PT1S");
                channel.send(42);
                assertThat(receiver).completesWithin(Duration.ofSeconds(1)).isEqualTo(42);
                assertThat(receiver).isFinished().result().hasValue(42);
                fails(() -> assertThat(receiver).isParked(), "with the value 42");
                fails(() -> assertThat(receiver).isNotFinished(), "not to have ended, but it has");
                fails(() -> assertThat(receiver).result().hasValue(1), "[result of task");
            });
        }
    }
}
