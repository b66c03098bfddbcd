package dev.kumihimo.internal.wait;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** A wait room without a runtime, for races of two actors over one wait. */
final class Room {
    private static final MethodHandle NEW_WAIT;

    static {
        try {
            NEW_WAIT = MethodHandles.privateLookupIn(Wait.class, MethodHandles.lookup())
                    .findConstructor(Wait.class, MethodType.methodType(void.class, Waiter.class, WaitPoint.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Room() {}

    /** What the waits wait at. */
    static final class Point extends WaitPoint {
        final WaitQueue queue = new WaitQueue();

        void enqueue(WaitNode node) {
            lock();
            queue.add(node);
            unlock();
        }

        /** Grants the oldest wait that is undecided an item; false if there is none. */
        boolean grant(Object item) {
            WaitNode granted = null;
            lock();
            for (WaitNode node; granted == null && (node = queue.poll()) != null; ) {
                node.item = item;
                if (node.grant()) {
                    granted = node;
                }
            }
            unlock();
            if (granted == null) {
                return false;
            }
            granted.owner().wake();
            return true;
        }

        boolean isEmpty() {
            lock();
            boolean empty = queue.isEmpty();
            unlock();
            return empty;
        }
    }

    /** Whoever waits: the thread that last called {@link #here()}; before that nobody. */
    static final class Owner extends Waiter {
        private volatile Thread thread;
        volatile boolean interruptWanted;

        Owner here() {
            thread = Thread.currentThread();
            return this;
        }

        Wait waitAt(Point point) {
            Wait wait = waitFor(point);
            point.enqueue(wait);
            return wait;
        }

        Wait waitFor(WaitPoint point) {
            try {
                return (Wait) NEW_WAIT.invokeExact((Waiter) this, point);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        protected boolean parksTimed() {
            return true;
        }

        @Override
        public Thread thread() {
            return thread;
        }

        @Override
        public TimerService timers() {
            throw new UnsupportedOperationException("parks with a time");
        }

        @Override
        protected Cancellation tellsOfCancellation(Throwable e) {
            return Cancellation.NOT;
        }

        @Override
        protected boolean tellsOf(Throwable e, CancelScope scope) {
            return false;
        }

        @Override
        protected void interruptLater(CancelScope scope) {
            interruptWanted = true;
        }

        @Override
        protected InterruptedException cancelledException(CancelScope scope) {
            return new Cancelled();
        }

        @Override
        public void expire() {
            // has no deadline as a whole
        }

        @Override
        public void uncaughtException(Thread failed, Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Tells a cancellation from an interrupt. */
    static final class Cancelled extends InterruptedException {
        private static final long serialVersionUID = 1L;
    }

    /** A region that is no shield. */
    static final class Region extends CancelScope {
        Region(Waiter waiter) {
            super(waiter, false);
        }

        @Override
        public void expire() {
            cancel("expired");
        }
    }
}
