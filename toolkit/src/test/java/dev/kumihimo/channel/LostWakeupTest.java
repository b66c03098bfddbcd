package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.TaskRuntime;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** That a waiter who could be served is found: each state is one that only a bug could bring about. */
class LostWakeupTest {
    @BeforeAll
    static void initialise() {
        TaskRuntime.global();
    }

    private static String asked(WaitPoint point) {
        point.lock();
        try {
            return point.lostWakeup();
        } finally {
            point.unlock();
        }
    }

    @Test
    void channel_withAnItemForAReceiver() {
        ChannelCore core = new ChannelCore(2);
        core.awaitItem(Wait.at(core));
        assertThat(asked(core)).isNull();
        core.put("item"); // past the receiver
        assertThat(asked(core)).startsWith("1 items are there, and thread ");
    }

    @Test
    void channel_withRoomForASender() {
        ChannelCore core = new ChannelCore(1);
        core.put("item");
        core.awaitRoom(Wait.at(core));
        assertThat(asked(core)).isNull();
        core.take(); // and no refill
        assertThat(asked(core)).startsWith("there is room");
    }

    @Test
    void channel_withoutRoomForAllThatIsReserved() {
        ChannelCore core = new ChannelCore(3);
        core.put("item");
        Wait wait = Wait.at(core);
        wait.count = 3;
        core.awaitReservation(wait);
        assertThat(asked(core)).isNull();
        core.take();
        assertThat(asked(core)).startsWith("there is room");
    }

    @Test
    void rendezvous_atWhichBothWait() {
        ChannelCore core = new ChannelCore(0);
        core.awaitRoom(Wait.at(core));
        assertThat(asked(core)).isNull();
        core.awaitItem(Wait.at(core));
        assertThat(asked(core)).contains("receives, and ");
    }

    @Test
    void channel_thatIsClosed() {
        for (int sort = 0; sort < 3; sort++) {
            ChannelCore core = new ChannelCore(1);
            core.put("item");
            core.close(null);
            Wait wait = Wait.at(core);
            switch (sort) {
                case 0 -> core.awaitRoom(wait);
                case 1 -> core.awaitClose(wait);
                default -> {
                    core.take();
                    core.awaitItem(wait);
                }
            }
            assertThat(asked(core)).startsWith("it ");
        }
    }

    @Test
    void oneshot_withItsValue() {
        OneshotCore<String> core = new OneshotCore<>();
        core.send("value");
        assertThat(asked(core)).isNull();
        core.awaitValue(Wait.at(core));
        assertThat(asked(core)).startsWith("it is sent");
    }

    @Test
    void watch_withAnUnseenValue() {
        WatchCore core = new WatchCore("first");
        Subscription receiver = core.subscribe();
        core.enqueue(receiver, Wait.at(core));
        assertThat(asked(core)).isNull();
        receiver.position--;
        assertThat(asked(core)).startsWith("there is something unread");
    }

    @Test
    void broadcast_withAnItemForAReceiver_orRoomForASender() {
        BroadcastCore core = new BroadcastCore(1, true);
        Subscription receiver = core.subscribe();
        core.offer("item", new WakeList());
        core.awaitRoom(Wait.at(core));
        assertThat(asked(core)).isNull();
        core.enqueue(receiver, Wait.at(core));
        assertThat(asked(core)).startsWith("there is something unread");
        BroadcastCore empty = new BroadcastCore(1, true);
        empty.awaitRoom(Wait.at(empty));
        assertThat(asked(empty)).startsWith("there is room");
    }
}
