package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.runtime.TaskRuntime;
import java.lang.reflect.Field;
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

    private static final class Permits extends PermitQueue {
        Permits() {
            super(0);
        }

        /** Gives permits, and forgets those who wait. */
        void setSilently(int count) throws ReflectiveOperationException {
            Field permits = PermitQueue.class.getDeclaredField("permits");
            permits.setAccessible(true);
            permits.setInt(this, count);
        }
    }

    @Test
    void permits_thatTheFirstWants() throws Exception {
        Permits permits = new Permits();
        assertThat(permits.takeOrRegister(3)).isNotNull();
        assertThat(permits.takeOrRegister(1)).isNotNull();
        permits.setSilently(2);
        assertThat(asked(permits)).isNull(); // the second stands behind the first
        permits.setSilently(3);
        assertThat(asked(permits))
                .isEqualTo("3 free, 3 wanted, and thread \""
                        + Thread.currentThread().getName() + "\" waits");
    }

    @Test
    void waiterThatHasBeenDecided_isNone() throws Exception {
        Permits permits = new Permits();
        Wait wait = permits.takeOrRegister(1);
        permits.setSilently(1);
        assertThat(asked(permits)).isNotNull();
        wait.expire(); // it is about to take itself out, and to serve those behind it
        assertThat(asked(permits)).isNull();
    }

    @Test
    void notification_thatIsKept() {
        Notify notify = new Notify();
        notify.notifyOne();
        assertThat(asked(notify.waitPoint())).isNull();
        notify.enqueue(Wait.at(notify.waitPoint()));
        assertThat(asked(notify.waitPoint())).startsWith("a permit is kept");
    }

    @Test
    void barrier_atWhichAllAre() {
        Barrier barrier = Barrier.of(2);
        barrier.enqueue(Wait.at(barrier.waitPoint()));
        assertThat(asked(barrier.waitPoint())).isNull();
        barrier.enqueue(Wait.at(barrier.waitPoint()));
        assertThat(asked(barrier.waitPoint())).startsWith("all 2 have arrived");
    }

    @Test
    void value_thatIsSet() {
        OncePoint point = new OncePoint("set-once");
        assertThat(point.valueOrRegister()).isInstanceOf(Wait.class);
        assertThat(asked(point)).isNull();
        point.set("there"); // which serves the first
        point.register(Wait.at(point));
        assertThat(asked(point)).startsWith("the value is there");
    }

    @Test
    void maker_isTheHolder_andSoIsWhoTakesOver() throws Exception {
        OncePoint point = new OncePoint("once-cell");
        assertThat(point.holders()).isEmpty();
        assertThat(point.tryValueOrMake()).isEqualTo(OncePoint.MAKE);
        assertThat(point.holders()).containsExactly(Thread.currentThread());
        Thread other = Thread.ofPlatform().start(point::valueOrMakeOrRegister);
        other.join();
        point.failed();
        assertThat(point.holders()).containsExactly(other);
        point.made("value");
        assertThat(point.holders()).isEmpty();
    }
}
