package dev.kumihimo.codec;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Whose turn it is with one direction of a framed stream: first come, first served. */
final class Turn {
    private final Semaphore turn = Semaphore.of(1);

    /** {@return the turn, to be closed, after a wait for it} */
    Permit enter() throws IOException {
        return Deadlines.turn(turn, Deadlines.NEVER);
    }

    Permit enter(long deadline) throws IOException {
        return Deadlines.turn(turn, deadline);
    }

    /** {@return the turn if nobody has it or waits for it, or null} */
    @Nullable
    Permit tryEnter() {
        return turn.tryAcquire();
    }

    /** {@return the turn, which nobody may have now} */
    Permit enterAlone(String what) {
        Permit permit = tryEnter();
        if (permit == null) {
            throw new IllegalStateException(what + " is in use by another thread");
        }
        return permit;
    }
}
