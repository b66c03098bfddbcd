package dev.kumihimo.task;

import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.CancelReason;

/** The body of one {@code token.run}, which the token's cancellation ends. */
final class TokenRegion extends CancelScope {
    final Entry entry = new Entry(this);

    TokenRegion(Waiter waiter) {
        super(waiter, false);
    }

    @Override
    public void expire() {
        // its time is the token's
    }

    /** How the region is known to its token. */
    static final class Entry extends TokenNode.Subscriber {
        private final TokenRegion region;

        Entry(TokenRegion region) {
            this.region = region;
        }

        void cancel(CancelReason why) {
            region.cancel(why);
        }
    }
}
