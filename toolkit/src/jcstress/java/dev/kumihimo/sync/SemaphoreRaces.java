package dev.kumihimo.sync;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Semaphores: a permit is found or handed over, and what was done under it is seen. */
public final class SemaphoreRaces {
    private SemaphoreRaces() {}

    /** Results: what the acquirer sees, the permits free at the end. */
    @JCStressTest
    @Outcome(id = "42, 0", expect = ACCEPTABLE, desc = "taken, with what was written before the release")
    @Outcome(expect = FORBIDDEN, desc = "left waiting, not visible, or a permit too many or few")
    @State
    public static class ReleaseAgainstAcquire {
        private final Semaphore semaphore = Semaphore.of(0);
        private int written;

        @Actor
        public void releaser() {
            written = 42;
            semaphore.release(1);
        }

        @Actor
        public void acquirer(II_Result r) {
            try {
                semaphore.acquire(Duration.ofSeconds(10)).forget();
                r.r1 = written;
            } catch (InterruptedException | TimeoutException e) {
                r.r1 = -9;
            }
        }

        @Arbiter
        public void sum(II_Result r) {
            r.r2 = semaphore.availablePermits();
        }
    }
}
