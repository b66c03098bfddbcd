package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.select.Select;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class NotifyTest extends SyncTestBase {
    private final Notify notify = new Notify();

    @Test
    void notifyOne_beforeTheWait_isKept_once() throws Exception {
        notify.notifyOne();
        notify.notifyOne();
        assertThat(notify).hasToString("Notify[permit kept]");
        notify.notified();
        assertThat(notify.tryNotified()).isFalse();
        assertThatThrownBy(() -> notify.notified(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        notify.notifyLast();
        notify.notified(Duration.ZERO);
        assertThat(notify).hasToString("Notify[]");
    }

    @Test
    void notifyOne_wakesTheOldest_notifyLastTheNewest() throws Exception {
        JoinHandle<?> oldest = waiting(() -> notify.notified());
        JoinHandle<?> middle = waiting(() -> notify.notified());
        JoinHandle<?> newest = waiting(() -> notify.notified());
        notify.notifyLast();
        newest.join(LONG);
        notify.notifyOne();
        oldest.join(LONG);
        assertThat(middle.isDone()).isFalse();
        notify.notifyOne();
        middle.join(LONG);
        assertThat(notify.tryNotified()).isFalse();
    }

    @Test
    void notifyWaiters_wakesAllWhoWait_andKeepsNothing() throws Exception {
        JoinHandle<?> one = waiting(() -> notify.notified());
        JoinHandle<?> two = waiting(() -> notify.notified(FOREVER));
        notify.notifyWaiters();
        one.join(LONG);
        two.join(LONG);
        assertThat(notify.tryNotified()).isFalse();
    }

    @Test
    void notifyWaiters_thenNotifyOne_haveBothTheirEffect() throws Exception {
        JoinHandle<?> waiter = waiting(() -> notify.notified());
        notify.notifyWaiters();
        notify.notifyOne();
        waiter.join(LONG);
        assertThat(notify.tryNotified()).isTrue();
    }

    @Test
    void notificationMeantForOneThatGaveUp_goesToTheNext() throws Exception { // tokio notified_multi_notify_drop_one
        Wait first = gaveUp(); // decided, and still in the queue
        JoinHandle<?> second = waiting(() -> notify.notified());
        JoinHandle<?> third = waiting(() -> notify.notified());
        assertThat(first.isDecided()).isTrue();
        notify.notifyOne();
        second.join(LONG);
        assertThat(third.isDone()).isFalse();
        gaveUp();
        notify.notifyLast();
        third.join(LONG);
        assertThat(notify.tryNotified()).isFalse();
    }

    @Test
    void notificationWhenAllGaveUp_isKept() throws Exception { // tokio notify_one_after_dropped_all
        gaveUp();
        gaveUp();
        notify.notifyOne();
        assertThat(notify.tryNotified()).isTrue();
        JoinHandle<?> aborted = waiting(() -> notify.notified());
        aborted.abort();
        assertCancelled(aborted);
        notify.notifyLast();
        assertThat(notify.tryNotified()).isTrue();
    }

    /** A wait that has been decided against and has not unlinked itself yet. */
    private Wait gaveUp() throws Exception {
        return runtime.spawn(() -> {
                    Wait wait = Wait.at(notify.waitPoint());
                    notify.enqueue(wait);
                    wait.expire();
                    return wait;
                })
                .join(LONG);
    }

    @Test
    void listener_hearsACallThatCameBeforeItWaited_andLeavesThePermit() throws Exception {
        // tokio unpolled_future_completed_by_notify_waiters_preserves_notify_one_permit
        Notify.Listener listener = notify.listen();
        notify.notifyWaiters();
        notify.notifyOne();
        listener.await();
        assertThat(notify.tryNotified()).isTrue();
        assertThat(listener.tryAwait()).as("heard once").isFalse();
        assertThatThrownBy(() -> listener.await(SHORT)).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> listener.await(Duration.ZERO)).isInstanceOf(TimeoutException.class);
    }

    @Test
    void listener_thatWaits_isWokenByEither_andDoesNotHearTheCallTwice() throws Exception {
        Notify.Listener listener = notify.listen();
        JoinHandle<?> called = waiting(() -> listener.await());
        notify.notifyWaiters();
        called.join(LONG);
        assertThat(listener.tryAwait()).isFalse();
        JoinHandle<?> notified = waiting(() -> listener.await(FOREVER));
        notify.notifyOne();
        notified.join(LONG);
        assertThat(listener.tryAwait()).isFalse();
        assertThat(notify.listen().tryAwait()).as("made after the call").isFalse();
    }

    @Test
    void listener_inASelect_hearsWhatCameBefore_andWhatComes() throws Exception {
        Notify.Listener listener = notify.listen();
        notify.notifyWaiters();
        Select<String> select = Select.<String>of().on(listener, () -> "heard");
        assertThat(select.await()).isEqualTo("heard");
        JoinHandle<String> waiting = waiting(() -> select.await());
        notify.notifyWaiters();
        assertThat(waiting.join(LONG)).isEqualTo("heard");
        assertThat(listener.tryAwait()).isFalse();
    }

    @Test
    void select_thatLoses_hasUsedNoNotification() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        JoinHandle<String> loser = waiting(() -> Select.<String>of()
                .on(notify, () -> "notified")
                .onReceive(channel, item -> item)
                .await());
        JoinHandle<?> behind = waiting(() -> notify.notified());
        channel.send("item");
        assertThat(loser.join(LONG)).isEqualTo("item");
        notify.notifyOne();
        behind.join(LONG);
        JoinHandle<String> winner = waiting(() -> Select.<String>of()
                .on(notify, () -> "notified")
                .onReceive(channel, item -> item)
                .await());
        notify.notifyOne();
        assertThat(winner.join(LONG)).isEqualTo("notified");
        assertThat(notify.tryNotified()).isFalse();
    }

    /** Each notification ends exactly one wait or is the one that is kept, though waiters give up all the time. */
    @Test
    void notifications_areNeitherLostNorDoubled_whileWaitersTimeOut() throws Exception {
        AtomicInteger received = new AtomicInteger();
        List<JoinHandle<?>> waiters = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            waiters.add(runtime.spawn(() -> {
                for (int n = 0; n < 300; n++) {
                    try {
                        notify.notified(Duration.ofNanos(1 + n * 3_000L % 200_000));
                        received.incrementAndGet();
                    } catch (TimeoutException e) {
                        // the notification, if any, is for another
                    }
                }
            }));
        }
        int sent = 0;
        for (int n = 0; n < 5_000; n++) {
            if (!notify.toString().contains("kept")) { // only this thread adds one
                notify.notifyOne();
                sent++;
            }
        }
        for (JoinHandle<?> waiter : waiters) {
            waiter.join();
        }
        assertThat(received.get() + (notify.tryNotified() ? 1 : 0)).isEqualTo(sent);
    }
}
