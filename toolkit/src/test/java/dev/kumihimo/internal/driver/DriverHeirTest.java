package dev.kumihimo.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.Expirable;
import dev.kumihimo.internal.wait.TimerService;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of the timers of a driver that is closed: its heir has them, and does not keep what is cancelled. */
class DriverHeirTest {
    private static final long HOUR = 3_600_000_000_000L;

    /** A clock on which nothing expires by itself. */
    private static final class Heir implements TimerService {
        final List<HeirTimer> armed = new ArrayList<>();
        int arms;
        Runnable whileArming = () -> {};

        @Override
        public long nanoTime() {
            return TimerService.realNanoTime();
        }

        @Override
        public Timer arm(long deadline, Expirable target) {
            HeirTimer timer = new HeirTimer(this, deadline, target);
            armed.add(timer);
            arms++;
            whileArming.run();
            return timer;
        }
    }

    private record HeirTimer(Heir heir, long deadline, Expirable target) implements TimerService.Timer {
        @Override
        public void cancel() {
            heir.armed.remove(this);
        }
    }

    private final Heir heir = new Heir();
    private final Driver driver = new Driver(new NoHost());
    private final long deadline = TimerService.realNanoTime() + HOUR;
    private int expired;
    private Object heirsBefore;

    private static Field heirs() throws ReflectiveOperationException {
        Field heirs = Driver.class.getDeclaredField("heirs");
        heirs.setAccessible(true);
        return heirs;
    }

    @BeforeEach
    void installHeir() throws Exception {
        heirsBefore = heirs().get(null);
        Supplier<TimerService> ours = () -> heir;
        Driver.installHeir(ours);
    }

    @AfterEach
    void restore() throws Exception {
        driver.close();
        heirs().set(null, heirsBefore);
    }

    private TimerService.Timer arm() {
        return driver.arm(deadline, () -> expired++);
    }

    private TimerService.Timer armInTheWheel() {
        TimerService.Timer timer = arm();
        driver.poll();
        assertThat(driver.timers()).isEqualTo(1);
        return timer;
    }

    @Test
    void close_handsTimersOn_whichExpireOnce() {
        armInTheWheel();
        arm(); // on its way to the wheel
        driver.close();
        assertThat(heir.armed).hasSize(2);
        for (HeirTimer timer : heir.armed) {
            assertThat(timer.deadline()).isBetween(deadline, deadline + Driver.TICK_NANOS);
            timer.target().expire();
            timer.target().expire();
        }
        assertThat(expired).isEqualTo(2);
    }

    @Test
    void cancel_reachesTheHeir() {
        TimerService.Timer inTheWheel = armInTheWheel();
        TimerService.Timer onItsWay = arm();
        driver.close();
        TimerService.Timer late = arm(); // the heir's at once
        inTheWheel.cancel();
        onItsWay.cancel();
        late.cancel();
        assertThat(heir.armed).isEmpty();
    }

    @Test
    void close_doesNotHandOn_whatIsCancelledAndNotYetTakenOut() {
        TimerService.Timer inTheWheel = armInTheWheel();
        TimerService.Timer onItsWay = arm();
        inTheWheel.cancel();
        onItsWay.cancel();
        driver.close();
        assertThat(heir.arms).isZero();
    }

    @Test
    void cancel_reachesTheHeir_whileItIsGivenTheTimer() {
        TimerService.Timer timer = armInTheWheel();
        heir.whileArming = timer::cancel;
        driver.close();
        assertThat(heir.armed).isEmpty();
        assertThat(expired).isZero();
    }
}
