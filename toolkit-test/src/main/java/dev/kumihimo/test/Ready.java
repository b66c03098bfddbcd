package dev.kumihimo.test;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a {@link TestScheduler} asks its strategy: one object for all its questions, changed from one to the next. */
final class Ready implements Strategy.Choice {
    private final List<Entry> ready;
    private @Nullable Entry running;
    private @Nullable Entry yielder;
    private int kind;
    private int last;

    /**
     * Prepares the questions.
     *
     * @param ready the list of the scheduler itself, the one that has been ready longest first
     */
    Ready(List<Entry> ready) {
        this.ready = ready;
    }

    /** Asks at a point of a task that could go on. */
    Ready at(int kindOfPoint, Entry here) {
        kind = kindOfPoint;
        running = here;
        yielder = null;
        last = here.id;
        return this;
    }

    /** Asks after a run, whose task may have yielded. */
    Ready after(int lastRun, @Nullable Entry yielded) {
        kind = Record.AFTER_RUN;
        running = null;
        yielder = yielded;
        last = lastRun;
        return this;
    }

    /** {@return one of the kinds of {@link Record}} */
    int kind() {
        return kind;
    }

    /** {@return how far in its own path one is: points and ends of runs so far} */
    long position(int index) {
        Entry entry = entry(index);
        return entry.points + entry.stops;
    }

    /** {@return what a task is known by in all schedules, whatever its number} */
    long key(int index) {
        return entry(index).key;
    }

    private Entry entry(int index) {
        if (running == null) {
            return ready.get(index);
        }
        return index == 0 ? running : ready.get(index - 1);
    }

    @Override
    public int size() {
        return ready.size() + (running == null ? 0 : 1);
    }

    @Override
    public int task(int index) {
        return entry(index).id;
    }

    @Override
    public boolean canGoOn() {
        return running != null;
    }

    @Override
    public int last() {
        return last;
    }

    @Override
    public int yielded() {
        return yielder == null ? -1 : ready.indexOf(yielder);
    }

    @Override
    public int yields(int index) {
        return entry(index).yields;
    }

    @Override
    public String toString() {
        return Record.kindName(kind) + " " + tasks();
    }
}
