package dev.kumihimo.runtime;

import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;

/** A thread that is no task: a platform thread, or a virtual one that the toolkit did not start. */
final class ForeignWaiter extends Waiter {
    private final Thread thread;

    ForeignWaiter(Thread thread) {
        this.thread = thread;
    }

    static InterruptedException exception(CancelScope scope) {
        CancelReason reason = scope.reason() instanceof CancelReason why
                ? why
                : new CancelReason(CancelReason.Kind.ABORT, String.valueOf(scope.reason()));
        return new TaskCancelledException(reason, true, reason.message());
    }

    @Override
    public Thread thread() {
        return thread;
    }

    @Override
    protected boolean parksTimed() {
        return !thread.isVirtual(); // a platform thread needs no timers of ours, nor a runtime to have them
    }

    @Override
    public TimerService timers() {
        return TaskRuntime.current().core().driver();
    }

    @Override
    protected void interruptLater(CancelScope scope) {
        TaskRuntime.global().core().interruptLater(scope);
    }

    @Override
    protected InterruptedException cancelledException(CancelScope scope) {
        return exception(scope);
    }

    @Override
    public void expire() {
        // a thread as a whole has no deadline
    }

    @Override
    public void uncaughtException(Thread failed, Throwable e) {
        throw new AssertionError("not a handler of any thread", e);
    }
}
