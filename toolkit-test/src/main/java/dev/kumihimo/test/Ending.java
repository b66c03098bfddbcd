package dev.kumihimo.test;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.runtime.JoinHandle;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What is done when the body of a test has ended, before anything is aborted but the background. */
final class Ending {
    /** How much virtual time the background has for its cleanup. */
    private static final Duration FINALISERS = Duration.ofSeconds(5);

    /** How much real time is waited for what comes from outside: blocking jobs, and threads that sleep in the JDK. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final TestScheduler scheduler;
    private final List<JoinHandle<?>> background = new CopyOnWriteArrayList<>();

    Ending(TestScheduler scheduler) {
        this.scheduler = scheduler;
    }

    /** Takes note of a task that is expected to live until then, as are those that it spawns. */
    void background(JoinHandle<?> task, @Nullable Entry entry) {
        background.add(task);
        if (entry != null) {
            entry.background = true;
        }
    }

    /**
     * Runs what is ready, ends what is in the background, and looks at the tasks. By who drives, on a carrier.
     *
     * @param account what looks
     * @param left where to add what has not ended
     * @param realNanos how long each part may take
     * @return whether something was aborted, or has to be
     */
    boolean look(Leaks account, List<Leaks.Leak> left, long realNanos) {
        settle(realNanos);
        account.abortsBegin();
        if (!background.isEmpty()) {
            scheduler.shutDown(() -> background.forEach(JoinHandle::abort));
            settle(realNanos);
        }
        left.addAll(account.alive(background));
        if (!background.isEmpty()) {
            long until = TimerService.deadline(scheduler.timers().nanoTime(), FINALISERS);
            if (!scheduler.drive(() -> background.stream().allMatch(JoinHandle::isFinished), until, realNanos)) {
                scheduler.timers().moveTo(until);
            }
            background.stream()
                    .filter(task -> !task.isFinished())
                    .forEach(task -> left.add(new Leaks.Leak(
                            task + " in the background has not ended within " + FINALISERS.toSeconds()
                                    + " s of its abort",
                            null)));
        }
        return !background.isEmpty() || scheduler.core().registry().size() > 0;
    }

    /** Runs all until nothing is ready and, if something may come from outside, nothing has come for a while. */
    private void settle(long realNanos) {
        Patience patience = new Patience(GRACE_NANOS, Outside.NAP_NANOS);
        scheduler.drive(
                () -> {
                    if (!scheduler.isAtRest()) {
                        patience.renew();
                        return false;
                    }
                    return patience.left() <= 0;
                },
                scheduler.timers().nanoTime(),
                realNanos);
    }
}
