package dev.kumihimo.internal.wait;

import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/*
 * Cost: ON is looked up by name, since the kit lies above; a resource or a service provider would need the same walk through
 * the class path. It is a constant to the JIT, so that of a point in production nothing is left but the bytes of a dead branch.
 * Fields: control: written once, before the first runtime under control is made; read at each point.
 */

/**
 * The points at which a test scheduler may let another task run: around each lock, each wait, each wakeup and each
 * cancellation. They all lie in the wait room, and so in the path of every primitive, without code in any.
 */
public final class Points {
    private static final String PROPERTY = "kumihimo.test.points";
    private static final String TEST_KIT = "dev.kumihimo.test.PointControl";

    /**
     * Whether points exist in this JVM, looked up once: where the test kit is on the class or module path, unless the system
     * property {@code kumihimo.test.points} says otherwise.
     */
    public static final boolean ON = lookUp();

    private static volatile @Nullable Control control;

    private Points() {}

    private static boolean lookUp() {
        String property = System.getProperty(PROPERTY);
        if (property != null && !property.isBlank()) {
            return Boolean.parseBoolean(property.strip());
        }
        try {
            Class.forName(TEST_KIT, false, Points.class.getClassLoader()); // a class loader sees all modules it defines
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false; // production
        }
    }

    /** What a task is about to do at a point, or has just done. */
    public enum Kind {
        /** It is about to take a lock, and holds none. */
        LOCK,
        /** It has given back the last lock it held. */
        UNLOCK,
        /** It is registered, its wait is published, and it is about to look whether it must park. */
        PARK,
        /** Its wait is decided, and it has not looked yet how. */
        RESUME,
        /** It has decided the wait of another, and is about to unpark it. */
        WAKE,
        /** It is about to cancel a region, or has marked it as cancelled and is about to look for an open wait. */
        CANCEL
    }

    /** Who decides at points. Called on any thread; where it controls nothing it does nothing. */
    public interface Control {
        /**
         * A thread is at a point. It may run others before it returns.
         *
         * @param kind what it is about to do
         * @param at the lock, wait or region
         */
        void reached(Kind kind, Object at);

        /** A thread is about to take a lock: a point if it holds none, and from then on it counts as holding it. */
        void locking(SpinLock lock);

        /** A thread has given back a lock: a point if it was the last it held. */
        void unlocked(SpinLock lock);

        /**
         * {@return a number that the control draws, or -1 if it does not control the calling thread}
         *
         * @param bound one above the highest
         */
        int draw(int bound);

        /**
         * Something was made that can be left behind.
         *
         * @param thing what, for its name
         * @param left asked at the end of the test, at any thread, once nothing runs any more
         */
        void made(Object thing, Left left);

        /**
         * A task has failed; called on its thread.
         *
         * @param task which
         * @param failure with what
         */
        void failed(Waiter task, Throwable failure);
    }

    /** What the end of a test asks of a thing. */
    @FunctionalInterface
    public interface Left {
        /**
         * {@return what is left of it, in words, as "not closed"; null if nothing}
         *
         * @param aborted whether tasks had to be aborted, which may have kept them from doing what they would have done
         */
        @Nullable
        String left(boolean aborted);
    }

    /** Sets who decides. */
    public static void install(Control decider) {
        control = decider;
    }

    static void reached(Kind kind, Object at) {
        Control decider = control;
        if (decider != null) {
            decider.reached(kind, at);
        }
    }

    static void locking(SpinLock lock) {
        Control decider = control;
        if (decider != null) {
            decider.locking(lock);
        }
    }

    static void unlocked(SpinLock lock) {
        Control decider = control;
        if (decider != null) {
            decider.unlocked(lock);
        }
    }

    /** Tells of a point that was made and can have something left, see {@link WaitPoint#leftover()}. For use where ON. */
    public static void made(WaitPoint point) {
        made(point, aborted -> point.lockedLeftover());
    }

    /** Tells of a thing that was made and can be left behind, as an open file. For use where ON. */
    public static void made(Object thing, Left left) {
        Control decider = control;
        if (decider != null) {
            decider.made(thing, left);
        }
    }

    /** Tells of a task that has failed, on its thread. For use where ON. */
    public static void failed(Waiter task, Throwable failure) {
        Control decider = control;
        if (decider != null) {
            decider.failed(task, failure);
        }
    }

    /**
     * {@return a random number from 0, replayable under a test scheduler} For choices that must not depend on order alone, as
     * which branch a select tries first.
     *
     * @param bound one above the highest, at least 1
     */
    public static int random(int bound) {
        if (ON) {
            Control decider = control;
            int drawn = decider == null ? -1 : decider.draw(bound);
            if (drawn >= 0) {
                return drawn;
            }
        }
        return ThreadLocalRandom.current().nextInt(bound);
    }
}
