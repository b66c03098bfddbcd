package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import java.util.AbstractCollection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches that a collection refuses, stopped where another receiver may look. */
class BatchesTest {
    private static Collection<Integer> refusing() {
        return new AbstractCollection<>() {
            @Override
            public boolean add(Integer item) {
                throw new IllegalStateException("refused");
            }

            @Override
            public Iterator<Integer> iterator() {
                throw new UnsupportedOperationException();
            }

            @Override
            public int size() {
                return 0;
            }
        };
    }

    /** From the grant of the item on, before the receiver has even resumed. */
    @Test
    void anItemGrantedForABatch_isNotTheEnd_beforeItWasAdded() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            Channel<Integer> channel = Channel.bounded(1);
            JoinHandle<?> batch = test.runtime().spawn(() -> channel.receiveMany(refusing(), 2));
            test.runUntilIdle();
            channel.trySend(1);
            channel.close();
            assertThat(channel.isDrained()).isFalse();
            assertThat(channel.tryReceive()).isNull();
            JoinHandle<Integer> other = test.runtime().spawn(() -> channel.receiveOrNull());
            assertThat(test.step(other)).isTrue();
            assertThat(test.isWaiting(other)).isTrue();
            test.runUntilIdle();
            assertThatThrownBy(batch::join).hasRootCauseMessage("refused");
            assertThat(other.join()).isEqualTo(1);
            assertThat(channel.isDrained()).isTrue();
        }
    }

    /** Wherever the one with the batch is stopped: who looks meanwhile gets the item, or waits for it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anotherReceiver_getsWhatIsPutBack_atEachPoint(boolean buffered) throws Exception {
        boolean there = true;
        int points = 0;
        for (long k = 1; there; k++) {
            try (TestRuntime test = TestRuntime.fifo()) {
                Channel<Integer> channel = buffered ? Channel.bounded(2) : Channel.rendezvous();
                List<JoinHandle<Integer>> senders = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    int item = i;
                    senders.add(test.runtime().spawn(() -> {
                        channel.send(item);
                        return item;
                    }));
                }
                test.runUntilIdle();
                if (buffered) {
                    channel.close();
                }
                JoinHandle<?> batch = test.runtime().spawn(() -> channel.receiveMany(refusing(), 2));
                there = test.stepTo(batch, k);
                channel.close();
                List<Integer> got = new ArrayList<>();
                JoinHandle<?> other = test.runtime().spawn(() -> channel.forEach(got::add));
                while (test.step(other)) {
                    // alone, as far as it can go
                }
                test.runUntilIdle();
                int sent = 0;
                for (JoinHandle<Integer> sender : senders) {
                    sent += sender.tryResult() instanceof JoinResult.Success ? 1 : 0;
                }
                assertThat(other.isDone()).isTrue();
                assertThat(batch.tryResult()).isNotNull();
                assertThat(got).as("at point %d", k).hasSize(sent);
                assertThat(channel.isDrained()).isTrue();
                points++;
            }
        }
        assertThat(points).isGreaterThan(4);
    }
}
