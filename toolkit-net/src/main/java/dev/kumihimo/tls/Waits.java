package dev.kumihimo.tls;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A wait for one of two things, for as long as it takes or until a time. */
final class Waits {
    /* What a wait for one of two has ended with. */
    static final int PASSED = 0;
    static final int FIRST = 1;
    static final int SECOND = 2;

    private Waits() {}

    /** Waits until one of them is ready, and returns which, or {@link #PASSED} if the deadline has. */
    static int forAny(Selectable<@Nullable Void> first, @Nullable Selectable<@Nullable Void> second, long deadline)
            throws IOException {
        if (deadline == Deadlines.NOW) {
            return PASSED;
        }
        Select<Integer> select = Select.<Integer>of().onReadable(first, () -> FIRST);
        if (second != null) {
            select.onReadable(second, () -> SECOND);
        }
        if (deadline != Deadlines.NEVER) {
            select.after(Deadlines.remaining(deadline), () -> PASSED);
        }
        try {
            return select.await();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }
}
