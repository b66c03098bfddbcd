package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.select.Select;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ReservationTest extends ChannelFixture {
    private static final Duration SHORT = Duration.ofMillis(5);

    @Test
    void reserve_countsAsUsed_untilThePermitSendsOrIsClosed() throws Exception {
        Channel<String> channel = Channel.bounded(2);
        Permit<String> permit = channel.reserve();
        assertThat(channel.availableCapacity()).isEqualTo(1);
        assertThat(channel.capacity()).isEqualTo(2);
        assertThat(channel.size()).isZero();
        assertThat(channel).hasToString("Channel[channel 0/2, 1 reserved]");
        permit.send("a");
        assertThat(channel.availableCapacity()).isEqualTo(1);
        assertThat(permit.count()).isZero();
        permit.close();
        assertThat(channel.availableCapacity())
                .as("used, so nothing to give back")
                .isEqualTo(1);
        assertThatThrownBy(() -> permit.send("b"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("count=0");
        assertThat(channel.receive()).isEqualTo("a");
        assertThat(channel.availableCapacity()).isEqualTo(2);
        Permit<String> unused = channel.reserve();
        unused.close();
        unused.close();
        assertThat(channel.availableCapacity()).isEqualTo(2);
    }

    @Test
    void aReservedPlace_isNobodyElses() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        try (Permit<String> permit = channel.reserve()) {
            assertThat(permit.count()).isEqualTo(1);
            assertThat(channel.trySend("barges")).isFalse();
            assertThat(channel.tryReserve()).isNull();
            assertThatThrownBy(() -> channel.send("barges", SHORT)).isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> channel.reserve(SHORT)).isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> channel.reserve(Duration.ZERO)).isInstanceOf(TimeoutException.class);
            assertThat(channel.tryReceive()).as("there is no item").isNull();
        }
        assertThat(channel.trySend("now")).isTrue();
    }

    /** Tokio's reserve_disarm. */
    @Test
    void aFreedPlace_servesOneReservation_andAClosedPermitTheNext() throws Exception {
        Channel<Integer> channel = Channel.bounded(2);
        channel.reserve().send(1);
        Permit<Integer> second = channel.reserve();
        JoinHandle<Permit<Integer>> third = waitingAt(channel, () -> channel.reserve());
        JoinHandle<Permit<Integer>> fourth = waitingAt(channel, () -> channel.reserve());
        assertThat(channel.receive()).isEqualTo(1);
        Permit<Integer> thirds = third.join(LONG);
        assertThat(fourth.isFinished()).isFalse();
        second.close();
        Permit<Integer> fourths = fourth.join(LONG);
        thirds.send(3);
        fourths.send(4);
        assertThat(channel.receive()).isEqualTo(3);
        assertThat(channel.receive()).isEqualTo(4);
        assertThat(channel.availableCapacity()).isEqualTo(2);
    }

    @Test
    void reservationsAndSends_areServedInOneOrder() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Permit<String> first = channel.reserve();
        JoinHandle<?> send = waitingAt(channel, () -> {
            channel.send("second");
            return null;
        });
        JoinHandle<Permit<String>> reserve = waitingAt(channel, () -> channel.reserve());
        JoinHandle<?> last = waitingAt(channel, () -> {
            channel.send("fourth");
            return null;
        });
        first.send("first");
        assertThat(send.isFinished()).isFalse();
        assertThat(channel.receive()).isEqualTo("first");
        send.join(LONG);
        assertThat(channel.receive()).isEqualTo("second");
        reserve.join(LONG).send("third");
        assertThat(channel.receive()).isEqualTo("third");
        last.join(LONG);
        assertThat(channel.receive()).isEqualTo("fourth");
    }

    @Test
    void aLargeRequestAtTheHead_holdsUpSmallOnes() throws Exception {
        Channel<Integer> channel = Channel.bounded(3);
        Permit<Integer> held = channel.reserveMany(2);
        JoinHandle<Permit<Integer>> large = waitingAt(channel, () -> channel.reserveMany(3));
        assertThat(channel.availableCapacity()).isEqualTo(1);
        assertThat(channel.trySend(9)).as("nobody barges").isFalse();
        assertThat(channel.tryReserve()).isNull();
        JoinHandle<?> small = waitingAt(channel, () -> {
            channel.send(4);
            return null;
        });
        held.close();
        Permit<Integer> three = large.join(LONG);
        assertThat(three.count()).isEqualTo(3);
        assertThat(small.isFinished()).isFalse();
        for (int i = 1; i <= 3; i++) {
            three.send(i);
        }
        for (int i = 1; i <= 4; i++) {
            assertThat(channel.receive(LONG)).isEqualTo(i);
        }
        small.join(LONG);
        assertThat(channel.availableCapacity()).isEqualTo(3);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void aLargeRequestThatGivesUp_servesAllThatItHeldUp(String name, Ender ender) throws Exception {
        Channel<Integer> channel = Channel.bounded(3);
        Permit<Integer> held = channel.reserve();
        JoinHandle<Permit<Integer>> large = waitingAt(channel, () -> channel.reserveMany(3));
        JoinHandle<?> send = waitingAt(channel, () -> {
            channel.send(1);
            return null;
        });
        JoinHandle<Permit<Integer>> reserve = waitingAt(channel, () -> channel.reserve());
        ender.end(large);
        send.join(LONG);
        Permit<Integer> permit = reserve.join(LONG);
        assertThat(channel.availableCapacity()).isZero();
        permit.close();
        held.close();
        assertThat(channel.availableCapacity()).isEqualTo(2);
        assertThat(channel.trySend(2)).isTrue();
    }

    @Test
    void aLargeRequestThatTimesOut_servesAllThatItHeldUp() throws Exception {
        Channel<Integer> channel = Channel.bounded(2);
        Permit<Integer> held = channel.reserve();
        JoinHandle<Permit<Integer>> large = runtime.spawn(() -> channel.reserveMany(2, Duration.ofMillis(20)));
        assertThat(failure(large)).isInstanceOf(TimeoutException.class).hasMessageContaining("2 places");
        assertThat(channel.trySend(1)).isTrue();
        held.close();
        assertThat(channel.availableCapacity()).isEqualTo(1);
    }

    @Test
    void aPermit_handsItsItemToAReceiverThatWaits_andThePlaceToASender() throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        Permit<Integer> permit = channel.reserve();
        JoinHandle<Integer> receiver = waitingAt(channel, () -> channel.receive());
        JoinHandle<?> sender = waitingAt(channel, () -> {
            channel.send(2);
            return null;
        });
        assertThat(receiver.isFinished())
                .as("a place that is reserved is used, also if a receiver waits")
                .isFalse();
        permit.send(1);
        assertThat(receiver.join(LONG)).isEqualTo(1);
        sender.join(LONG);
        assertThat(channel.receive()).isEqualTo(2);
    }

    @Test
    void aSenderBehindReservations_isNotReceivedFrom_untilItHasAPlace() throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        Permit<Integer> permit = channel.reserve();
        JoinHandle<?> sender = waitingAt(channel, () -> {
            channel.send(2);
            return null;
        });
        assertThat(channel.tryReceive()).isNull();
        assertThat(channel.tryReceiveMany(new ArrayList<>(), 5)).isZero();
        permit.send(1);
        assertThat(channel.tryReceive()).isEqualTo(1);
        sender.join(LONG);
        assertThat(channel.tryReceive()).isEqualTo(2);
    }

    /** A granter meets a large request that has given up and has not withdrawn yet: it drops it, and serves one sender only. */
    @Test
    void aLargeRequestDroppedByAGranter_stillServesAllBehindIt_whenItWithdraws() throws Exception {
        Channel<Integer> channel = Channel.bounded(2);
        channel.send(1);
        channel.send(2);
        ChannelCore core = (ChannelCore) channel.waitPoint();
        Wait large = Wait.at(core);
        large.count = 2;
        core.lock();
        core.awaitReservation(large);
        core.unlock();
        JoinHandle<?> first = waitingAt(channel, () -> {
            channel.send(3);
            return null;
        });
        JoinHandle<?> second = waitingAt(channel, () -> {
            channel.send(4);
            return null;
        });
        large.expire();
        assertThat(channel.receive()).isEqualTo(1);
        assertThat(channel.receive()).isEqualTo(2);
        first.join(LONG);
        assertThat(channel.trySend(9)).as("nobody gets past the second").isFalse();
        WakeList woken = new WakeList();
        core.lock();
        core.withdraw(large, woken);
        core.unlock();
        woken.wakeAll();
        second.join(LONG);
        assertThat(channel.receive()).isEqualTo(3);
        assertThat(channel.receive()).isEqualTo(4);
        assertThat(channel.availableCapacity()).isEqualTo(2);
    }

    @Test
    void aPermitThatIsClosed_letsASendReachTheReceiverThatWaits() throws Exception {
        Channel<Integer> channel = Channel.bounded(2);
        Permit<Integer> permit = channel.reserveMany(2);
        JoinHandle<Integer> receiver = waitingAt(channel, () -> channel.receive());
        JoinHandle<?> sender = waitingAt(channel, () -> {
            channel.send(7);
            return null;
        });
        permit.close();
        sender.join(LONG);
        assertThat(receiver.join(LONG)).isEqualTo(7);
        assertThat(channel.availableCapacity()).isEqualTo(2);
    }

    /* ---------------- Closing -------------- */

    /** Tokio's recv_close_gets_none_reserved and ready_close_cancel_bounded. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void close_failsAWaitingReservation_butAPermitMaySend_andTheReceiverWaitsForIt(boolean sends) throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Permit<String> permit = channel.reserve();
        JoinHandle<Permit<String>> waits = waitingAt(channel, () -> channel.reserve());
        JoinHandle<String> receiver = waitingAt(channel, () -> channel.receiveOrNull());
        channel.close();
        assertThat(failure(waits)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(channel::reserve).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(channel::tryReserve).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> channel.reserve(LONG)).isInstanceOf(ChannelClosedException.class);
        assertThat(receiver.isFinished()).isFalse();
        if (sends) {
            permit.send("late");
            assertThat(receiver.join(LONG)).isEqualTo("late");
        } else {
            permit.close();
            assertThat(receiver.join(LONG)).isNull();
        }
        assertThat(channel.receiveOrNull()).isNull();
    }

    /** Tokio's cancelled_reserve_wakes_closed_receiver: here it was never assigned a place that it had to give back. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void aReservationThatGivesUp_leavesNoPlaceBehind_forWhichAReceiverOfAClosedChannelWouldWait(
            String name, Ender ender) throws Exception {
        Channel<String> channel = Channel.bounded(2);
        Permit<String> permit = channel.reserve();
        JoinHandle<Permit<String>> waits = waitingAt(channel, () -> channel.reserveMany(2));
        ender.end(waits);
        JoinHandle<String> receiver = waitingAt(channel, () -> channel.receiveOrNull());
        channel.close();
        assertThat(receiver.isFinished()).isFalse();
        permit.close();
        assertThat(receiver.join(LONG)).isNull();
        assertThat(channel.availableCapacity()).isEqualTo(2);
    }

    /** Tokio's failed_reserve_many_wakes_closed_receiver. */
    @Test
    void close_failsALargeReservation_andEndsTheReceiver() throws Exception {
        Channel<String> channel = Channel.bounded(2);
        JoinHandle<String> receiver = waitingAt(channel, () -> channel.receiveOrNull());
        Permit<String> permit = channel.reserve();
        JoinHandle<Permit<String>> waits = waitingAt(channel, () -> channel.reserveMany(2));
        permit.close();
        Permit<String> both = waits.join(LONG);
        channel.close();
        both.send("one");
        assertThat(receiver.join(LONG)).isEqualTo("one");
        JoinHandle<String> last = waitingAt(channel, () -> channel.receiveOrNull());
        both.close();
        assertThat(last.join(LONG)).isNull();
    }

    /** Tokio's try_recv_after_receiver_close_with_permit. */
    @Test
    void tryReceive_isNullWhileAPermitIsOutstanding_andThenTheEnd() throws Exception {
        Channel<String> channel = Channel.bounded(2);
        Permit<String> permit = channel.reserve();
        channel.close();
        assertThat(channel.isClosed()).isTrue();
        assertThat(channel.isDrained()).isFalse();
        assertThat(channel.tryReceive()).isNull();
        permit.close();
        assertThat(channel.isDrained()).isTrue();
        assertThatThrownBy(channel::tryReceive).isInstanceOf(ChannelClosedException.class);
    }

    /** Tokio's test_rx_is_not_closed_when_there_are_permits_but_not_senders. */
    @Test
    void theLastSenderGone_isNotTheEnd_whileAPermitIsOutstanding() throws Exception {
        Channel<String> channel = Channel.bounded(2);
        Sender<String> sender = channel.sender();
        Permit<String> permit = sender.reserve();
        sender.close();
        assertThat(channel.isDrained()).isFalse();
        permit.send("late");
        assertThat(channel.receive()).isEqualTo("late");
        assertThat(channel.isDrained()).isTrue();
        assertThat(channel.receiveOrNull()).isNull();
    }

    /* ---------------- How many -------------- */

    /** Tokio's reserve_many_above_cap and try_reserve_many_edge_cases. */
    @Test
    void moreThanTheCapacity_isRefusedAtOnce_andNothingIsNothing() throws Exception {
        Channel<Integer> channel = Channel.bounded(4);
        for (int places : new int[] {5, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> channel.reserveMany(places))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("places=" + places)
                    .hasMessageContaining("capacity of 4");
            assertThatThrownBy(() -> channel.tryReserveMany(places)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> channel.reservingMany(places)).isInstanceOf(IllegalArgumentException.class);
        }
        Permit<Integer> all = channel.reserveMany(4);
        assertThat(channel.reserveMany(0).count()).isZero();
        try (Permit<Integer> none = channel.tryReserveMany(0)) {
            assertThat(none).isNotNull();
        }
        all.close();
        channel.close();
        assertThatThrownBy(() -> channel.reserveMany(0)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> channel.tryReserveMany(0)).isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void unbounded_reservesAsManyAsAnIntHolds() throws Exception {
        Channel<Integer> channel = Channel.unbounded();
        channel.send(1);
        assertThat(channel.tryReserveMany(Integer.MAX_VALUE)).isNull();
        assertThat(channel.receive()).isEqualTo(1);
        try (Permit<Integer> all = channel.reserveMany(Integer.MAX_VALUE)) {
            assertThat(channel.trySend(2)).isFalse();
            all.send(3);
        }
        assertThat(channel.trySend(4)).isTrue();
        assertThat(channel.receive()).isEqualTo(3);
        assertThat(channel.receive()).isEqualTo(4);
    }

    /** Tokio's drop_permit_iterator_releases_permits. */
    @Test
    void aPermitForMany_givesBackWhatIsUnused_forEveryCount() throws Exception {
        for (int n = 1; n < 100; n++) {
            Channel<Integer> channel = Channel.bounded(n);
            for (int used = 0; used <= n; used += Math.max(1, n / 3)) {
                try (Permit<Integer> permit = channel.reserveMany(n)) {
                    assertThat(channel.availableCapacity()).isZero();
                    for (int i = 0; i < used; i++) {
                        permit.send(i);
                    }
                }
                assertThat(channel.availableCapacity()).isEqualTo(n - used);
                for (int i = 0; i < used; i++) {
                    assertThat(channel.receive()).isEqualTo(i);
                }
                assertThat(channel.availableCapacity()).isEqualTo(n);
            }
        }
    }

    @Test
    void aRendezvous_hasNoPlaces() {
        Channel<String> channel = Channel.rendezvous();
        assertThatThrownBy(channel::reserve)
                .isInstanceOf(IllegalStateException.class)
                .isNotInstanceOf(ChannelClosedException.class)
                .hasMessageContaining("rendezvous");
        assertThatThrownBy(channel::tryReserve).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(channel::reserving).isInstanceOf(IllegalStateException.class);
    }

    /* ---------------- Selecting -------------- */

    @Test
    void reserving_isSelectable_andALosingOneLeavesNothing() throws Exception {
        Channel<String> channel = Channel.bounded(2);
        Channel<String> other = Channel.bounded(1);
        Permit<String> ready = Select.<Permit<String>>of()
                .on(channel.reserving(), permit -> permit)
                .await();
        JoinHandle<String> loses = waiting(() -> Select.<String>of()
                .on(channel.reservingMany(2), permit -> "two")
                .onReceive(other, item -> item)
                .await());
        assertThat(channel.trySend("held up")).isFalse();
        other.send("other");
        assertThat(loses.join(LONG)).isEqualTo("other");
        assertThat(channel.availableCapacity()).isEqualTo(1);
        JoinHandle<Permit<String>> wins = waiting(() -> Select.<Permit<String>>of()
                .onReceive(other, item -> null)
                .on(channel.reservingMany(2), permit -> permit)
                .await());
        ready.close();
        assertThat(wins.join(LONG).count()).isEqualTo(2);
        JoinHandle<?> closed = waiting(() ->
                Select.<String>of().on(channel.reserving(), permit -> "permit").await());
        channel.close();
        assertThat(failure(closed)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> Select.<String>of()
                        .on(channel.reserving(), permit -> "permit")
                        .await())
                .isInstanceOf(ChannelClosedException.class);
    }

    /** All that can happen to a place, at once and over and over: none is lost, none is made. */
    @Test
    void places_areConserved_whenReservationsAreUsedClosedAndCancelled() throws Exception {
        Channel<Integer> channel = Channel.bounded(5);
        List<JoinHandle<Integer>> senders = new ArrayList<>();
        for (int s = 0; s < 6; s++) {
            int many = s % 5 + 1;
            senders.add(runtime.spawn(() -> {
                int sent = 0;
                for (int i = 0; i < 600; i++) {
                    try (Permit<Integer> permit = i % 7 == 0
                            ? channel.reserveMany(many, Duration.ofNanos(1000))
                            : channel.reserveMany(many)) {
                        for (int k = 0; k < (i % (many + 1)); k++) {
                            permit.send(k);
                            sent++;
                        }
                    } catch (TimeoutException e) {
                        channel.send(-1);
                        sent++;
                    }
                }
                return sent;
            }));
        }
        List<JoinHandle<Integer>> receivers = new ArrayList<>();
        for (int r = 0; r < 2; r++) {
            receivers.add(runtime.spawn(() -> {
                int received = 0;
                while (channel.receiveOrNull() != null) {
                    received++;
                }
                return received;
            }));
        }
        List<JoinHandle<?>> victims = new ArrayList<>();
        for (int v = 0; v < 300; v++) {
            int many = v % 5 + 1;
            JoinHandle<?> victim = runtime.spawn(() -> {
                channel.reserveMany(many).close();
                return null;
            });
            victims.add(victim);
            if (v % 2 == 0) {
                victim.abort();
            }
        }
        int sent = 0;
        for (JoinHandle<Integer> sender : senders) {
            sent += sender.join(LONG);
        }
        for (JoinHandle<?> victim : victims) {
            victim.result(LONG);
        }
        channel.close();
        int received = 0;
        for (JoinHandle<Integer> receiver : receivers) {
            received += receiver.join(LONG);
        }
        assertThat(received).isEqualTo(sent);
        assertThat(channel.availableCapacity()).isEqualTo(5);
    }
}
