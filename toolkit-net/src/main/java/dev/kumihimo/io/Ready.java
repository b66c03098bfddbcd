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

    /**
     * Ready if something is there, looked for whenever a select tries it, or else if what lies below is. Asks what to wait for
     * whenever a select begins to, since that may be another then.
     */
    private record Either(BooleanSupplier there, Which below) implements Selectable<@Nullable Void> {
        @Override
        public Clause<@Nullable Void> clause() {
            return new There(this, below.now().clause());
        }
    }

    /** Takes nothing, neither here nor below: so it may be the signal of another attempt. Nobody rings for it. */
    private static final class There extends Attempt<@Nullable Void> {
        private final Either source;

        There(Either source, Clause<@Nullable Void> below) {
            super(below);
            this.source = source;
        }

        @Override
        protected Attempt<@Nullable Void> renewed() {
            Clause<@Nullable Void> below = source.below.now().clause();
            return below == signal() ? this : new There(source, below);
        }

        @Override
        protected @Nullable Object attempt(boolean signalled) {
            return signalled || source.there.getAsBoolean() ? null : NOT_READY;
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

    /** {@return a selectable that asks what to wait for whenever a select begins to wait} */
    static Selectable<@Nullable Void> asked(Which which) {
        return new Either(() -> false, which);
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
