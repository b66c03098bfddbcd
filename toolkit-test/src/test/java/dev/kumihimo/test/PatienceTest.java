package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class PatienceTest {
    private static final long LOOK_NANOS = Duration.ofMillis(1).toNanos();

    /** Lets real time pass; a park may end before its time. */
    private static void pass(long nanos) {
        for (long end = System.nanoTime() + nanos, left; (left = end - System.nanoTime()) > 0; ) {
            LockSupport.parkNanos(left);
        }
    }

    @Test
    void left_isAllOfIt_atTheFirstLook_andAfterARenewal() {
        Patience patience = new Patience(100, LOOK_NANOS);
        pass(LOOK_NANOS);
        assertThat(patience.left()).isEqualTo(100);
        pass(LOOK_NANOS);
        assertThat(patience.left()).isLessThan(100);
        patience.renew();
        pass(LOOK_NANOS);
        assertThat(patience.left()).isEqualTo(100);
    }

    @Test
    void aLookThatComesLate_countsAsTwo() {
        Patience patience = new Patience(10 * LOOK_NANOS, LOOK_NANOS);
        patience.left();
        pass(50 * LOOK_NANOS);
        assertThat(patience.left()).isEqualTo(8 * LOOK_NANOS);
        pass(50 * LOOK_NANOS);
        assertThat(patience.left()).isEqualTo(6 * LOOK_NANOS);
    }

    @Test
    void looksInTime_countAsLongAsTheyTake() {
        Patience patience = new Patience(10 * LOOK_NANOS, LOOK_NANOS);
        long begin = System.nanoTime();
        int looks = 1;
        for (; patience.left() > 0; looks++) {
            pass(LOOK_NANOS / 2);
        }
        assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(10 * LOOK_NANOS);
        assertThat(looks).isBetween(5, 21);
    }
}
