package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.select.Select;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class SetOnceTest extends SyncTestBase {
    private final SetOnce<String> once = new SetOnce<>();

    @Test
    void set_wakesAllWhoWait_withTheValue() throws Exception {
        JoinHandle<String> one = waiting(() -> once.await());
        JoinHandle<String> two = waiting(() -> once.await(FOREVER));
        JoinHandle<String> selecting = waiting(
                () -> Select.<String>of().on(once, value -> "selected " + value).await());
        assertThat(once.get()).isNull();
        once.set("value");
        assertThat(one.join(LONG)).isEqualTo("value");
        assertThat(two.join(LONG)).isEqualTo("value");
        assertThat(selecting.join(LONG)).isEqualTo("selected value");
        assertThat(once.await()).isEqualTo("value");
        assertThat(once.await(Duration.ZERO)).isEqualTo("value");
        assertThat(Select.<String>of().on(once, value -> value).await()).isEqualTo("value");
    }

    @Test
    void set_again_isRefused_andTheFirstValueStays() {
        once.set("first");
        assertThatThrownBy(() -> once.set("second"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("already");
        assertThat(once.trySet("third")).isFalse();
        assertThat(once.get()).isEqualTo("first");
        assertThat(once.isSet()).isTrue();
        assertThat(once).hasToString("SetOnce[first]");
        assertThatThrownBy(() -> new SetOnce<String>().set(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void await_throwsTimeout_whenNothingIsSet() {
        assertThatThrownBy(() -> once.await(SHORT))
                .isInstanceOf(TimeoutException.class)
                .hasMessageContaining("PT0.005S");
        assertThatThrownBy(() -> once.await(Duration.ZERO)).isInstanceOf(TimeoutException.class);
    }

    @Test
    void await_byACancelledOne_doesNotHinderTheOthers() throws Exception {
        JoinHandle<String> aborted = waiting(() -> once.await());
        JoinHandle<String> other = waiting(() -> once.await());
        aborted.abort();
        assertCancelled(aborted);
        once.set("value");
        assertThat(other.join(LONG)).isEqualTo("value");
    }

    @Test
    void select_thatLoses_leavesNothing() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        JoinHandle<String> loser = waiting(() -> Select.<String>of()
                .on(once, value -> value)
                .onReceive(channel, item -> item)
                .await());
        channel.send("item");
        assertThat(loser.join(LONG)).isEqualTo("item");
        once.set("value");
        assertThat(once.get()).isEqualTo("value");
    }
}
