package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class OnceCellTest extends SyncTestBase {
    private final OnceCell<String> cell = new OnceCell<>();

    /** A task that makes the value, and goes on when told to. */
    private JoinHandle<String> making(CountDownLatch goOn, String value) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        JoinHandle<String> maker = runtime.spawn(() -> cell.getOrInit(() -> {
            begun.countDown();
            goOn.await();
            if (value == null) {
                throw new IOException("no value");
            }
            return value;
        }));
        begun.await();
        return maker;
    }

    @Test
    void getOrInit_runsOneBodyOnly_andAllGetItsValue() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        List<JoinHandle<String>> tasks = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            tasks.add(runtime.spawn(() -> cell.getOrInit(() -> {
                Task.sleep(SHORT);
                return "value " + runs.incrementAndGet();
            })));
        }
        for (JoinHandle<String> task : tasks) {
            assertThat(task.join(LONG)).isEqualTo("value 1");
        }
        assertThat(cell.get()).isEqualTo("value 1");
        assertThat(cell.isInitialized()).isTrue();
        assertThat(cell).hasToString("OnceCell[value 1]");
    }

    @Test
    void failedInit_isTheCallersOnly_andTheNextWaiterTakesOver() throws Exception { // tokio get_or_init_panic
        CountDownLatch fail = new CountDownLatch(1);
        JoinHandle<String> failing = making(fail, null);
        List<String> ran = new ArrayList<>();
        JoinHandle<String> next = waiting(() -> cell.getOrInit(() -> {
            ran.add("next");
            return "from next";
        }));
        JoinHandle<String> last = waiting(() -> cell.getOrInit(
                () -> {
                    ran.add("last");
                    return "from last";
                },
                FOREVER));
        fail.countDown();
        assertThat(failure(failing)).isInstanceOf(IOException.class);
        assertThat(next.join(LONG)).isEqualTo("from next");
        assertThat(last.join(LONG)).isEqualTo("from next");
        assertThat(ran).containsExactly("next");
    }

    @Test
    void failedInit_withNobodyWaiting_leavesTheCellEmpty() throws Exception {
        assertThatThrownBy(() -> cell.getOrInit(() -> {
                    throw new IOException("no value");
                }))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> cell.getOrInit(() -> {
                    throw new AssertionError("an error too");
                }))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> cell.getOrInit(() -> null))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("returned null");
        assertThat(cell.get()).isNull();
        assertThat(cell.getOrInit(() -> "at last")).isEqualTo("at last");
    }

    @Test
    void cancelledInit_handsOver_pastAWaiterThatIsCancelledToo() throws Exception {
        JoinHandle<String> maker = making(new CountDownLatch(1), "never");
        JoinHandle<String> cancelled = waiting(() -> cell.getOrInit(() -> "from a cancelled one"));
        JoinHandle<String> next = waiting(() -> cell.getOrInit(() -> "from next"));
        cancelled.abort();
        assertCancelled(cancelled);
        maker.abort();
        assertCancelled(maker);
        assertThat(next.join(LONG)).isEqualTo("from next");
    }

    @Test
    void recursiveInit_isToldAtOnce() throws Exception {
        JoinHandle<?> task = runtime.spawn(() -> cell.getOrInit(() -> cell.getOrInit(() -> "inner")));
        assertThat(failure(task))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(task.name())
                .hasMessageContaining("would wait for itself");
        assertThatThrownBy(() -> cell.getOrInit(() -> cell.getOrInit(() -> "inner", FOREVER)))
                .isInstanceOf(IllegalStateException.class);
        assertThat(cell.getOrInit(() -> "value")).isEqualTo("value");
    }

    @Test
    void set_whileInitializing_isRefused_andSaysSo() throws Exception { // tokio set_while_initializing
        CountDownLatch goOn = new CountDownLatch(1);
        JoinHandle<String> maker = making(goOn, "made");
        assertThatThrownBy(() -> cell.set("set"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("being made");
        assertThat(cell.trySet("set")).isFalse();
        assertThat(cell.get()).isNull();
        goOn.countDown();
        assertThat(maker.join(LONG)).isEqualTo("made");
        assertThatThrownBy(() -> cell.set("set"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("already");
        assertThat(cell.get()).isEqualTo("made");
    }

    @Test
    void set_makesInitUnnecessary() throws Exception {
        cell.set("set");
        assertThat(cell.getOrInit(() -> "made")).isEqualTo("set");
        assertThat(cell.getOrInit(() -> "made", Duration.ZERO)).isEqualTo("set");
        assertThat(OnceCell.of("given").get()).isEqualTo("given");
        assertThatThrownBy(() -> new OnceCell<String>().set(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void getOrInit_throwsTimeout_whenAnotherTakesLonger_andItsBodyDoesNotRun() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        JoinHandle<String> maker = making(goOn, "made");
        AtomicInteger runs = new AtomicInteger();
        assertThatThrownBy(() -> cell.getOrInit(() -> "run " + runs.incrementAndGet(), SHORT))
                .isInstanceOf(TimeoutException.class)
                .hasMessageContaining("PT0.005S");
        assertThatThrownBy(() -> cell.getOrInit(() -> "run " + runs.incrementAndGet(), Duration.ZERO))
                .isInstanceOf(TimeoutException.class);
        goOn.countDown();
        maker.join(LONG);
        assertThat(runs.get()).isZero();
        assertThat(cell.getOrInit(() -> "late", SHORT)).isEqualTo("made");
    }
}
