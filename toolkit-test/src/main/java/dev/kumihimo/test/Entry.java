package dev.kumihimo.test;

import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/*
 * A thread is known by its scheduler: each thread of the factory has an Entry of its own as such, and what it is handed first
 * is that thread's continuation. A thread that such a one starts inherits its scheduler, so what an Entry is handed besides
 * its own continuation belongs to an heir, and has an entry by itself.
 * Fields: own, heirs: guarded by the monitor. thread: written by whoever makes the entry, cleared by the carrier. All others
 * are the carrier's.
 */

/** A virtual thread as the {@link TestScheduler} sees it, and the scheduler that the JDK hands its continuation to. */
final class Entry implements Executor {
    private static final Runnable ENDED = () -> {};

    private final TestScheduler scheduler;
    private final boolean heir;
    private @Nullable Runnable own;
    private @Nullable Map<Runnable, Entry> heirs;

    /** Null once it has ended, or where the JDK does not tell. */
    volatile @Nullable Thread thread;

    /** Its number: the order in which threads were first handed over; -1 before. */
    int id = -1;

    /** Whether it is in the ready list. */
    boolean queued;

    /** What to run, while it is queued. */
    @Nullable
    Runnable continuation;

    /** Whether what it is parked in is a wait for a socket of the JDK's; null where nobody has looked. */
    @Nullable
    Boolean socketWait;

    /** Its wait for a time in the JDK, where that is known; what is left of it is real time. */
    @Nullable
    Delayed timedWait;

    /** How many spin locks it holds. */
    int locks;

    /** How many points it has reached. */
    long points;

    /** Where it was spawned, and by whom; only if that is asked for. Written before it starts. */
    @Nullable
    Site site;

    @Nullable
    String spawner;

    /** Whether it is expected to live when the test ends. */
    volatile boolean background;

    /** The toolkit wait it was last seen to rest in, and since when on the clock it has rested there, or outside the toolkit. */
    @Nullable
    Wait rested;

    long since;

    /** The toolkit wait it is in, as its points tell: only these know of the waits of an heir. */
    @Nullable
    Wait parked;

    /** How many of its runs it has ended itself: it has parked, yielded or ended. */
    long stops;

    /** How many of its last runs in a row it has ended by yielding. */
    int yields;

    /** What it is known by, whatever the schedule; and of how many threads it is the one who started them. */
    long key;

    long children;

    Entry(TestScheduler scheduler, boolean heir) {
        this.scheduler = scheduler;
        this.heir = heir;
    }

    @Override
    public void execute(Runnable handed) {
        scheduler.handed(of(handed), handed);
    }

    private synchronized Entry of(Runnable handed) {
        if (own == null) {
            own = handed;
        }
        if (own == handed) {
            return this;
        }
        if (heirs == null) {
            heirs = new WeakHashMap<>();
        }
        Entry entry = heirs.get(handed);
        if (entry == null) {
            entry = new Entry(scheduler, true);
            entry.key = scheduler.key();
            entry.thread = VirtualThreads.threadOf(handed);
            heirs.put(handed, entry);
            scheduler.know(entry);
        }
        return entry;
    }

    /** Lets go of a thread that has ended. */
    void ended() {
        thread = null;
        if (!heir) {
            synchronized (this) {
                own = ENDED; // heirs may come through this entry for ever
            }
        }
    }

    boolean isHeir() {
        return heir;
    }

    boolean isAlive() {
        Thread known = thread;
        return known == null || known.isAlive();
    }

    /** {@return the toolkit wait that the thread is in, or null} */
    @Nullable
    Wait openWait() {
        Thread known = thread;
        return known != null && known.getUncaughtExceptionHandler() instanceof Waiter waiter && waiter.thread() == known
                ? waiter.openWait()
                : parked;
    }

    /** Notes that it has left the carrier, and may rest. */
    void left(long now) {
        Wait open = openWait();
        if (open == null || open != rested) { // else it was woken for nothing, and waits on
            rested = open;
            since = now;
        }
    }

    @Override
    public String toString() {
        Thread known = thread;
        String name = known == null ? "" : known.getName();
        return "#" + id + (heir ? " thread " : " ") + '"' + (name.isEmpty() ? "unnamed" : name) + '"';
    }
}
