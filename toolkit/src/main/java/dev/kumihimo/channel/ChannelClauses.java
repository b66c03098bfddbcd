package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import org.jspecify.annotations.Nullable;

/** How a select waits for a channel. */
final class ChannelClauses {
    private ChannelClauses() {}

    /** For the next item, or the end. */
    static final class Receiving<T> extends Clause<T> {
        private final ChannelCore core;

        Receiving(ChannelCore core) {
            super(core);
            this.core = core;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            Object item = core.poll(woken);
            if (item != null) {
                return item;
            }
            return core.isEnded() ? ChannelCore.CLOSED : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.awaitItem(node);
            return true;
        }

        @Override
        @SuppressWarnings("unchecked") // only sends put items in
        protected T result(@Nullable Object outcome) {
            if (outcome == null || outcome == ChannelCore.CLOSED) {
                throw core.closedException(Channel.DRAINED);
            }
            return (T) outcome;
        }
    }

    /** For room for an item. */
    static final class Sending extends Clause<@Nullable Void> {
        private final ChannelCore core;
        private final Object item;

        Sending(ChannelCore core, Object item) {
            super(core);
            this.core = core;
            this.item = item;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            if (core.isClosed()) {
                return ChannelCore.CLOSED;
            }
            return core.offer(item, woken) ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            node.item = item;
            core.awaitRoom(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            if (outcome == ChannelCore.CLOSED) {
                throw core.closedException(Channel.CLOSED);
            }
            return null;
        }
    }

    /** For places that are free. The permit is made before they are taken: if there is no memory for it, nothing is lost. */
    static final class Reserving<T> extends Clause<Permit<T>> {
        private final ChannelCore core;
        private final int places;

        Reserving(ChannelCore core, int places) {
            super(core);
            this.core = core;
            this.places = places;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            if (core.isClosed()) {
                return ChannelCore.CLOSED;
            }
            if (!core.canReserve(places)) {
                return NOT_READY;
            }
            Permit<T> permit = new Permit<>(core, places);
            core.reserve(places);
            return permit;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            node.item = new Permit<>(core, places);
            node.count = places;
            core.awaitReservation(node);
            return true;
        }

        @Override
        @SuppressWarnings("unchecked") // it is what tryNow() or enqueue() made
        protected Permit<T> result(@Nullable Object outcome) {
            if (outcome == null || outcome == ChannelCore.CLOSED) {
                throw core.closedException(Channel.CLOSED);
            }
            return (Permit<T>) outcome;
        }
    }

    /** For the close. */
    static final class Closing extends Clause<@Nullable Void> {
        private final ChannelCore core;

        Closing(ChannelCore core) {
            super(core);
            this.core = core;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            return core.isClosed() ? ChannelCore.CLOSED : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.awaitClose(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }
}
