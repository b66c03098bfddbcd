package dev.kumihimo.runtime;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** A task ends while another thread begins to join it. The task's body is run by an actor, in place of a virtual thread. */
public final class JoinRaces {
    private JoinRaces() {}

    private static RuntimeTask<int[]> task() {
        Body<int[], RuntimeException> body = () -> new int[] {42};
        return new RuntimeTask<>(TaskRuntime.global(), body, null, false, null);
    }

    private static int join(RuntimeTask<int[]> task) {
        try {
            return task.result(Duration.ofSeconds(10)) instanceof JoinResult.Success<int[]>(int[] value)
                    ? value[0]
                    : -1;
        } catch (InterruptedException | TimeoutException e) {
            return -9;
        }
    }

    /** Result: what the joiner sees. */
    @JCStressTest
    @Outcome(id = "42", expect = ACCEPTABLE, desc = "joined, with what the task wrote")
    @Outcome(expect = FORBIDDEN, desc = "left waiting, or not visible")
    @State
    public static class EndAgainstJoin {
        private final RuntimeTask<int[]> task = task();
        private final int delay = ThreadLocalRandom.current().nextInt(40);

        @Actor
        public void body() {
            for (int i = 0; i < delay; i++) {
                Thread.onSpinWait(); // else it would be first nearly always
            }
            task.run();
        }

        @Actor
        public void joiner(I_Result r) {
            r.r1 = join(task);
        }
    }
}
