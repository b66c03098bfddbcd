package dev.kumihimo.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SelectTest {
    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private static <T> JoinHandle<T> waiting(JoinHandle<T> task) {
        await().until(() -> ((Waiter) task).openWait() != null);
        return task;
    }

    @Test
    void aReadyReceive_isTaken_andTheOthersDoNothing() throws Exception {
        Channel<String> ready = Channel.bounded(1);
        Channel<String> full = Channel.bounded(1);
        ready.send("item");
        full.send("already");
        String won = Select.<String>of()
                .onSend(full, "extra", () -> "sent")
                .onReceive(ready, item -> "received " + item)
                .await();
        assertThat(won).isEqualTo("received item");
        assertThat(full.size()).isEqualTo(1);
    }

    @Test
    void otherwise_isTaken_whenNothingIsReady() throws Exception {
        Channel<String> empty = Channel.bounded(1);
        assertThat(Select.<String>of()
                        .onReceive(empty, item -> item)
                        .otherwise(() -> "nothing")
                        .await())
                .isEqualTo("nothing");
    }

    /** A branch that is never ready; when it is tried first, an item comes into one channel, and then one goes from another. */
    private static final class Passing extends Clause<String> {
        private final Channel<String> to;
        private final Channel<String> from;
        private boolean passed;

        Passing(Channel<String> to, Channel<String> from) {
            super(null);
            this.to = to;
            this.from = from;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            if (!passed) {
                passed = true;
                to.trySend("came");
                from.tryReceive();
            }
            return NOT_READY;
        }

        @Override
        protected String result(Object outcome) {
            throw new IllegalStateException("was not ready");
        }
    }

    @Test
    void otherwise_isNotTaken_whenAtEveryMomentOneWasReady() throws Exception {
        Channel<String> left = Channel.bounded(1);
        Channel<String> right = Channel.bounded(1);
        right.send("goes");
        assertThat(Select.<String>of()
                        .onReceive(left, item -> item)
                        .onReceive(new Passing(left, right), item -> item)
                        .onReceive(right, item -> item)
                        .biased()
                        .otherwise(() -> "nothing")
                        .await())
                .isEqualTo("came");
    }

    @Test
    void afterNoTime_isNotTaken_whenAtEveryMomentAnotherWasReady() throws Exception {
        Channel<String> left = Channel.bounded(1);
        Channel<String> right = Channel.bounded(1);
        right.send("goes");
        assertThat(Select.<String>of()
                        .onReceive(left, item -> item)
                        .onReceive(new Passing(left, right), item -> item)
                        .onReceive(right, item -> item)
                        .biased()
                        .after(Duration.ZERO, () -> "timeout")
                        .await())
                .isEqualTo("came");
    }

    @Test
    void after_isTaken_whenTheTimePasses_andLeavesNoWaiterBehind() throws Exception {
        Channel<String> empty = Channel.bounded(1);
        Select<String> select =
                Select.<String>of().onReceive(empty, item -> item).after(Duration.ofMillis(5), () -> "timeout");
        assertThat(select.await()).isEqualTo("timeout");
        assertThat(runtime.<String, InterruptedException>blockOn(select::await)).isEqualTo("timeout");
        assertThat(empty.trySend("first")).isTrue();
        assertThat(empty.receive()).as("no dead waiter took it").isEqualTo("first");
    }

    @Test
    void aWaitingSelect_isGrantedThroughOneBranch_andLeavesTheOthers() throws Exception {
        Channel<Integer> left = Channel.bounded(1);
        Channel<Integer> right = Channel.bounded(1);
        JoinHandle<Integer> selecting = waiting(runtime.spawn(() -> Select.<Integer>of()
                .onReceive(left, item -> item)
                .onReceive(right, item -> item)
                .await()));
        right.send(7);
        assertThat(selecting.join()).isEqualTo(7);
        left.send(8);
        assertThat(left.receive()).isEqualTo(8);
    }

    @Test
    void aCancelledSelect_hasTakenNothing() throws Exception {
        Channel<Integer> left = Channel.bounded(1);
        Channel<Integer> right = Channel.bounded(1);
        JoinHandle<Integer> selecting = waiting(runtime.spawn(() -> Select.<Integer>of()
                .onReceive(left, item -> item)
                .onReceive(right, item -> item)
                .await()));
        selecting.abort();
        assertThat(selecting.result()).isInstanceOf(JoinResult.Cancelled.class);
        left.send(1);
        right.send(2);
        assertThat(left.receive() + right.receive()).isEqualTo(3);
    }

    @Test
    void biased_takesTheFirstReadyOne_andElseBothGetTheirTurn() throws Exception {
        Channel<Integer> left = Channel.bounded(1000);
        Channel<Integer> right = Channel.bounded(1000);
        for (int i = 0; i < 1000; i++) {
            left.send(0);
            right.send(1);
        }
        int sum = 0;
        for (int i = 0; i < 500; i++) {
            sum += Select.<Integer>of()
                    .onReceive(left, item -> item)
                    .onReceive(right, item -> item)
                    .await();
        }
        assertThat(sum).isBetween(100, 400);
        for (int i = 0; i < 100; i++) {
            assertThat(Select.<Integer>of()
                            .onReceive(left, item -> item)
                            .onReceive(right, item -> item)
                            .biased()
                            .await())
                    .isZero();
        }
    }

    @Test
    void aClosedChannel_isReady_andSaysSo() {
        Channel<Integer> closed = Channel.bounded(1);
        closed.close();
        assertThatThrownBy(() ->
                        Select.<Integer>of().onReceive(closed, item -> item).await())
                .isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> Select.<Integer>of().onSend(closed, 1, () -> 1).await())
                .isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void closing_endsASelectThatWaits() throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        JoinHandle<Integer> selecting = waiting(runtime.spawn(
                () -> Select.<Integer>of().onReceive(channel, item -> item).await()));
        channel.close();
        assertThat(((JoinResult.Failure<?>) selecting.result()).exception()).isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void withoutBranches_itRefusesToWait() {
        assertThatThrownBy(() -> Select.of().await()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void bothSidesOfOneChannel_inOneSelect_doNotMeetThemselves() throws Exception {
        Channel<Integer> rendezvous = Channel.rendezvous();
        assertThat(Select.<String>of()
                        .onReceive(rendezvous, item -> "received")
                        .onSend(rendezvous, 1, () -> "sent")
                        .after(Duration.ofMillis(5), () -> "alone")
                        .await())
                .isEqualTo("alone");
    }

    /** Two crowds of selects meet on rendezvous channels, taken in opposite orders: what one sent, one received. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void selectsThatMeet_passEachItemOnce(int workers) throws Exception {
        try (var own = TaskRuntime.builder().workerThreads(workers).build()) {
            Channel<Integer> a = Channel.rendezvous();
            Channel<Integer> b = Channel.rendezvous();
            int pairs = 4;
            int each = 3_000;
            AtomicInteger sent = new AtomicInteger();
            AtomicInteger received = new AtomicInteger();
            List<JoinHandle<?>> tasks = new ArrayList<>();
            for (int i = 0; i < pairs; i++) {
                tasks.add(own.spawn(() -> {
                    for (int n = 1; n <= each; n++) {
                        int item = n;
                        Select.<Integer>of()
                                .onSend(a, item, () -> sent.addAndGet(item))
                                .onSend(b, item, () -> sent.addAndGet(item))
                                .await();
                    }
                }));
                tasks.add(own.spawn(() -> {
                    for (int n = 1; n <= each; n++) {
                        Select.<Integer>of()
                                .onReceive(b, received::addAndGet)
                                .onReceive(a, received::addAndGet)
                                .await();
                    }
                }));
            }
            for (JoinHandle<?> task : tasks) {
                task.join();
            }
            assertThat(received.get()).isEqualTo(sent.get()).isEqualTo(pairs * each * (each + 1) / 2);
        }
    }
}
