package dev.kumihimo.test.net;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Attempt;
import dev.kumihimo.select.Clause;
import org.jspecify.annotations.Nullable;

/**
 * That one direction of an end is ready, now or at a time. When that is may change while a select waits, so each wait of a
 * select has a new signal.
 */
final class Ready extends Attempt<@Nullable Void> {
    private final End end;
    private final boolean input;

    Ready(End end, boolean input) {
        super(Signal.of(end, input));
        this.end = end;
        this.input = input;
    }

    @Override
    protected Attempt<@Nullable Void> renewed() {
        return new Ready(end, input);
    }

    @Override
    protected @Nullable Object attempt(boolean signalled) {
        Connection connection = end.connection;
        connection.lock();
        try {
            connection.settle();
            return isReady(end, input) ? null : NOT_READY;
        } finally {
            connection.unlock();
        }
    }

    @Override
    protected @Nullable Void result(@Nullable Object outcome) {
        return null;
    }

    private static boolean isReady(End end, boolean input) {
        return input ? end.isReadable() : end.isWritable();
    }

    /** That it may be ready: the time has come, or is another than it was when this was made. */
    private static final class Signal extends Clause<@Nullable Void> {
        private final End end;
        private final boolean input;
        private final long version;
        private final long next;

        private Signal(End end, boolean input, long version, long next) {
            super(end.connection);
            this.end = end;
            this.input = input;
            this.version = version;
            this.next = next;
        }

        static Signal of(End end, boolean input) {
            Connection connection = end.connection;
            connection.net.checkClock();
            connection.lock();
            try {
                connection.settle();
                return input
                        ? new Signal(end, true, end.readersVersion, end.in.next())
                        : new Signal(end, false, end.writersVersion, end.in.nextReset());
            } finally {
                connection.unlock();
            }
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            end.connection.settle();
            long current = input ? end.readersVersion : end.writersVersion;
            return current != version || isReady(end, input) ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            WaitQueue queue = input ? end.readers : end.writers;
            queue.add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }

        @Override
        protected long deadline() {
            return next;
        }
    }
}
