package dev.kumihimo.runtime;

import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.Waiter;

/** The region of a {@link Task#shield(Body)}. */
final class Shield extends CancelScope {
    Shield(Waiter waiter) {
        super(waiter, true);
    }

    @Override
    public void expire() {
        // a shield has no deadline
    }
}
