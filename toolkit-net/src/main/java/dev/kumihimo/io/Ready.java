package dev.kumihimo.io;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Attempt;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Ready now, or by itself at a time: what a select waits for where there is nobody who would tell it. */
final class Ready extends Clause<@Nullable Void> {
    static final Ready NOW = new Ready(0);

    /** What to wait for, as things are when it is asked. */
    interface Which {
        Selectable<@Nullable Void> now();
    }

    /** Looks what to wait for whenever it is added to a select. */
    private record Asked(Which which) implements Selectable<@Nullable Void> {
        @Override
        public Clause<@Nullable Void> clause() {
            return which.now().clause();
        }
    }

    /**
     * Ready if something is there, looked for whenever a select tries it, or else if what lies below is. Asks what to wait for
     * whenever it is added to a select, since that may be another then.
     */
    private record Either(BooleanSupplier there, Which below) implements Selectable<@Nullable Void> {
        @Override
        public Clause<@Nullable Void> clause() {
            Clause<@Nullable Void> clause = below.now().clause();
            if (clause instanceof Ready) { // may be a time, which an attempt cannot wait for
                return there.getAsBoolean() ? NOW : clause;
            }
            return new There(there, clause);
        }
    }

    /** Takes nothing, neither here nor below: so it may be the signal of another attempt. */
    private static final class There extends Attempt<@Nullable Void> {
        private final BooleanSupplier there;

        There(BooleanSupplier there, Clause<@Nullable Void> below) {
            super(below);
            this.there = there;
        }

        @Override
        protected @Nullable Object attempt(boolean signalled) {
            return signalled || there.getAsBoolean() ? null : NOT_READY;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }

    private final long time;

    private Ready(long time) {
        super(null);
        this.time = time;
    }

    /** {@return a selectable that asks what to wait for whenever it is added to a select} */
    static Selectable<@Nullable Void> asked(Which which) {
        return new Asked(which);
    }

    /** {@return a selectable that is ready if something is there, which it looks for in every select, or if another is} */
    static Selectable<@Nullable Void> either(BooleanSupplier there, Which below) {
        return new Either(there, below);
    }

    /** {@return a clause that is ready from a time of the calling thread's clock on} */
    static Ready at(long time) {
        return new Ready(time);
    }

    @Override
    protected @Nullable Object tryNow(WakeList woken) {
        return time == 0 || time <= Waiter.current().nanoTime() ? null : NOT_READY;
    }

    @Override
    protected @Nullable Void result(@Nullable Object outcome) {
        return null;
    }

    @Override
    protected long deadline() {
        return time == 0 ? Long.MAX_VALUE : time;
    }
}
