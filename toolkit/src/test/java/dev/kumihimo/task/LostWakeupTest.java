package dev.kumihimo.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** That a waiter who could go on is found: each state is one that only a bug could bring about. */
@Timeout(30)
class LostWakeupTest {
    private static String asked(WaitPoint point) {
        point.lock();
        try {
            return point.lostWakeup();
        } finally {
            point.unlock();
        }
    }

    private static Field field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    private static Object call(Object on, String name) throws ReflectiveOperationException {
        Method method = on.getClass().getDeclaredMethod(name);
        method.setAccessible(true);
        return method.invoke(on);
    }

    @Test
    void tracker_thatIsOver() throws Exception {
        TaskRuntime.global();
        TrackerPoint tracker = new TrackerPoint();
        assertThat(tracker.register()).isNotNull();
        assertThat(asked(tracker)).isNull();
        ((AtomicLong) field(tracker, "state").get(tracker)).set(1); // closed, and wakes nobody
        assertThat(asked(tracker)).startsWith("it is closed and empty, and thread \"");
    }

    @Test
    void token_thatIsCancelled_itselfOrAboveIt() throws Exception {
        TaskRuntime.global();
        TokenNode above = new TokenNode(null, null);
        TokenNode node = new TokenNode(above, null);
        node.lock();
        assertThat(node.enqueue(Wait.at(node))).isTrue();
        node.unlock();
        assertThat(asked(node)).isNull();
        field(above, "reason").set(above, new CancelReason(CancelReason.Kind.ABORT, "")); // and tells nobody
        assertThat(asked(node)).startsWith("it is cancelled, and thread \"");
    }

    @Test
    void set_oneOfWhichHasEnded_orOfWhichASlotIsFree() throws Exception {
        TaskRuntime.run(() -> {
            OwnedTasks tasks = new OwnedTasks("JoinSet", 1);
            Member member = new Member(tasks, null, (dev.kumihimo.runtime.Body<String, Exception>) () -> "", false);

            Completions next = new Completions(tasks);
            assertThat(call(next, "takeOrRegister")).isInstanceOf(Wait.class);
            field(next, "discarded").set(next, member); // is not what it waits for
            assertThat(asked(next)).isNull();
            field(next, "first").set(next, member);
            assertThat(asked(next)).startsWith("one has ended, and task \"");

            Completions either = new Completions(tasks);
            assertThat(call(either, "takeAnyOrRegister")).isInstanceOf(Wait.class);
            assertThat(asked(either)).isNull();
            field(either, "discarded").set(either, member);
            assertThat(asked(either)).startsWith("one has ended, and task \"");

            Completions slot = new Completions(tasks);
            slot.started();
            var waiting = Task.spawn(() -> slot.awaitSlot(1));
            while (!Boolean.TRUE.equals(hasWaiter(slot))) {
                Task.yieldNow();
            }
            assertThat(asked(slot)).isNull();
            field(slot, "running").setInt(slot, 0);
            assertThat(asked(slot)).startsWith("there is a slot, and task \"");
            waiting.abort();
            tasks.close();
        });
    }

    private static boolean hasWaiter(Completions point) throws ReflectiveOperationException {
        point.lock();
        try {
            Object queue = field(point, "owner").get(point);
            return !((dev.kumihimo.internal.wait.WaitQueue) queue).isEmpty();
        } finally {
            point.unlock();
        }
    }
}
