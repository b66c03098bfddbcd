package dev.kumihimo.internal.driver;

import org.jspecify.annotations.Nullable;

/**
 * A deadline that waits in a {@link TimerWheel}: the node of the wheel's own linked lists, so that arming a timer
 * allocates nothing. An entry belongs to at most one wheel at a time, and may be inserted again after it expired or was
 * removed.
 *
 * @since 0.1
 */
public abstract class TimerEntry {

    /** The tick at which the entry is due. Written and read by the wheel's thread only, as are the fields below. */
    long tick;

    /** The neighbors in the list, which is kept in insertion order. */
    @Nullable
    TimerEntry prev;

    @Nullable
    TimerEntry next;

    /** The wheel's list that holds the entry, or {@link TimerWheel#NO_LIST}. */
    int list = TimerWheel.NO_LIST;

    /** Creates an entry that is in no wheel. */
    protected TimerEntry() {}

    /**
     * Tells that the tick has come. The wheel's thread calls it, after the entry has left the wheel; inserting and
     * removing entries, this one included, is legal here. It must be short and must not throw: whatever is due after it
     * waits for it.
     */
    protected abstract void expire();
}
