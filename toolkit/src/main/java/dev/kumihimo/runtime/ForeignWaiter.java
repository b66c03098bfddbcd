package dev.kumihimo.runtime;

import dev.kumihimo.internal.carrier.RuntimeCore;
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
        return new TaskCancelledException(reason, TaskCancelledException.Origin.OWN_WAIT, reason.message());
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
        return TaskRuntime.current().core().timers();
    }

    @Override
    protected void interruptLater(CancelScope scope) {
        RuntimeCore here = RuntimeCore.ofCarrier();
        // On a carrier its own runtime, which need not be made first: that would start threads there.
        (here == null ? TaskRuntime.global().core() : here).interruptLater(scope);
    }

    @Override
    protected InterruptedException cancelledException(CancelScope scope) {
        return exception(scope);
    }

    static Cancellation told(Throwable e) {
        if (e instanceof TaskCancelledException cancelled) {
            return cancelled.isOwn() ? Cancellation.OWN : Cancellation.ANOTHERS;
        }
        return Cancellation.NOT;
    }

    @Override
    protected Cancellation tellsOfCancellation(Throwable e) {
        return told(e);
    }

    static boolean told(Throwable e, CancelScope scope) {
        return e instanceof TaskCancelledException cancelled
                && cancelled.isOwn()
                && cancelled.reason() == scope.reason();
    }

    @Override
    protected boolean tellsOf(Throwable e, CancelScope scope) {
        return told(e, scope);
    }

    @Override
    public String toString() {
        return "thread \"" + thread.getName() + '"';
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
