package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.sync.Semaphore;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** That a joiner is found who joins a task that has ended: a state that only a bug could bring about. */
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

    @Test
    void joiner_ofATaskThatHasEnded() throws Exception {
        TaskRuntime.run(() -> {
            Semaphore end = Semaphore.of(0);
            RuntimeTask<?> task = (RuntimeTask<?>) Task.spawn(() -> end.acquire());
            Method joinPoint = RuntimeTask.class.getDeclaredMethod("joinPoint");
            joinPoint.setAccessible(true);
            WaitPoint point = (WaitPoint) joinPoint.invoke(task);
            Method register = RuntimeTask.class.getDeclaredMethod("registerJoiner");
            register.setAccessible(true);
            assertThat(register.invoke(task)).isNotNull();
            assertThat(asked(point)).isNull();
            assertThat(point.holders()).containsExactly(task.threadOrNull());

            Field field = RuntimeTask.class.getDeclaredField("end");
            field.setAccessible(true);
            Object before = field.get(task);
            field.set(task, new JoinResult.Success<>("")); // and wakes nobody
            assertThat(asked(point)).startsWith("it has come, and task \"");
            assertThat(point.holders()).isEmpty();
            field.set(task, before);
            end.release(1);
            task.join();
        });
    }
}
