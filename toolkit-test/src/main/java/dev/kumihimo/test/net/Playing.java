package dev.kumihimo.test.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Attempt;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import dev.kumihimo.test.net.ScriptStep.Kind;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a list of steps. A read meets the first that was not played; a write the first such that is no read, since a peer
 * sends whether or not it is read. A pause holds up both, and begins when all before it were played, on the clock of who played
 * the last; one that nothing comes before, or that is added late, when somebody comes to it. One reader and one writer at a time, who hold turns.
 *
 * Fields: all but the turns are guarded by the lock; closed and shut are also read without, by those who look again.
 * version: a select asks when the pause ends before it is enqueued, and sees by the version that a pause has begun in between.
 * Linearization: where a step's `at` or `played` changes; where closed, shut or wrong is set.
 * Waiting: registered under the same holding of the lock in which there was nothing to do, and at most until a pause ends. Each
 * change grants all who wait, readers, writers and selects: they look again. It is a test's stream; their number is small.
 * Cancellation: a wait that is given up leaves its queue and nothing else. Bytes move after the last wait of a call.
 * Checked by: ScriptedStreamTest.
 */

/** Plays a script to one who reads and one who writes. */
final class Playing extends WaitPoint {
    static {
        prepare(MethodHandles.lookup(), ScriptStep.class, Kind.class, WaitQueue.class);
    }

    private static final long NOT_PAUSED = Long.MAX_VALUE;

    private final Semaphore readTurn = Semaphore.of(1);
    private final Semaphore writeTurn = Semaphore.of(1);
    private final WaitQueue readers = new WaitQueue();
    private final WaitQueue writers = new WaitQueue();
    final Selectable<@Nullable Void> readable = new Direction(true);
    final Selectable<@Nullable Void> writable = new Direction(false);

    private final List<ScriptStep> steps = new ArrayList<>();
    private int head; // all before it were played
    private long until = NOT_PAUSED; // when the pause at the head ends, once that is known
    private long version; // counted up with all for which who waits has to look again
    private volatile boolean closed;
    private volatile boolean shut;
    private boolean ended;
    private @Nullable String wrong; // what was written that the script does not say

    /* ---------------- The script -------------- */

    void add(ScriptStep step) {
        WakeList woken = new WakeList();
        lock();
        try {
            steps.add(step);
            wakeAll(woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    /** The first step not played that a read, or a write, meets; null if it has to wait, or there is none. Under the lock. */
    private @Nullable ScriptStep meets(boolean reading, long now) {
        for (int i = head; i < steps.size(); i++) {
            ScriptStep step = steps.get(i);
            if (step.played) {
                continue;
            }
            if (step.kind == Kind.WAIT) {
                if (i > head || isPaused(step, now)) {
                    return null;
                }
                play(step, now);
            } else if (step.kind.isRead() == reading) {
                return step;
            } else if (reading) {
                return null;
            }
        }
        return null;
    }

    private boolean isPaused(ScriptStep pause, long now) {
        if (until == NOT_PAUSED) {
            until = TimerService.deadline(now, Duration.ofNanos(pause.nanos));
            version++;
        }
        return until > now;
    }

    /** Notes that a step is done with, and begins the pause that may follow. Under the lock; who waits is woken by the caller. */
    private void play(ScriptStep step, long now) {
        step.played = true;
        until = NOT_PAUSED;
        while (head < steps.size() && steps.get(head).played) {
            head++;
        }
        if (head < steps.size() && steps.get(head).kind == Kind.WAIT) {
            isPaused(steps.get(head), now);
        }
    }

    private boolean hasUnplayed(boolean reading) {
        for (ScriptStep step : steps) {
            if (!step.played && step.kind != Kind.WAIT && step.kind.isRead() == reading) {
                return true;
            }
        }
        return false;
    }

    /* ---------------- Reading -------------- */

    int read(ByteBuffer target, long deadline) throws IOException {
        ensureOpen();
        try (Permit turn = enter(readTurn, deadline)) {
            if (turn == null) {
                return 0;
            }
            while (true) {
                WakeList woken = new WakeList();
                long now = Waiter.current().nanoTime();
                Wait wait = null;
                long pause = NOT_PAUSED;
                ScriptStep met = null;
                int taken = 0;
                lock();
                try {
                    if (!closed && wrong == null && target.hasRemaining() && !ended) {
                        met = meets(true, now);
                        if (met != null) {
                            taken = take(met, target, now);
                            if (met.played) {
                                wakeAll(woken);
                            }
                        } else if (deadline >= 0) {
                            wait = Wait.at(this);
                            pause = until;
                            readers.add(wait);
                        }
                    }
                } finally {
                    unlock();
                }
                woken.wakeAll();
                ensureStillOpen();
                if (met != null && met.failure != null) {
                    throw met.failure;
                }
                if (met != null || !target.hasRemaining()) {
                    return taken;
                }
                if (ended) {
                    return -1;
                }
                if (deadline == Deadlines.TRY) {
                    return 0;
                }
                await(wait, pause, deadline, "a read from a scripted stream");
            }
        }
    }

    /** Under the lock. */
    private int take(ScriptStep met, ByteBuffer target, long now) {
        if (met.kind != Kind.READ) {
            ended = met.kind == Kind.END;
            play(met, now);
            return -1;
        }
        int length = Math.min(target.remaining(), met.bytes.length - met.at);
        target.put(met.bytes, met.at, length);
        met.at += length;
        if (met.at == met.bytes.length) {
            play(met, now);
        }
        return length;
    }

    /* ---------------- Writing -------------- */

    int write(ByteBuffer source, long deadline) throws IOException {
        ensureWritable();
        try (Permit turn = enter(writeTurn, deadline)) {
            return turn == null ? 0 : writeInTurn(source, deadline);
        }
    }

    void writeAll(ByteBuffer source) throws IOException {
        ensureWritable();
        try (Permit turn = enter(writeTurn, Deadlines.NEVER)) {
            do {
                writeInTurn(source, Deadlines.NEVER);
            } while (source.hasRemaining());
        }
    }

    private int writeInTurn(ByteBuffer source, long deadline) throws IOException {
        while (true) {
            WakeList woken = new WakeList();
            long now = Waiter.current().nanoTime();
            Wait wait = null;
            long pause = NOT_PAUSED;
            ScriptStep met = null;
            int put = -1;
            boolean surplus = false;
            lock();
            try {
                if (!closed && !shut && wrong == null && source.hasRemaining()) {
                    met = meets(false, now);
                    if (met != null) {
                        put = put(met, source, now);
                        if (met.played) {
                            wakeAll(woken);
                        }
                    } else if (!hasUnplayed(false) && until == NOT_PAUSED) {
                        surplus = true;
                    } else if (deadline >= 0) {
                        wait = Wait.at(this);
                        pause = until;
                        writers.add(wait);
                    }
                }
            } finally {
                unlock();
            }
            woken.wakeAll();
            ensureStillOpen();
            if (shut) {
                throw new AsynchronousCloseException();
            }
            if (surplus || met != null && put < 0 && met.failure == null) {
                throw mismatch(met, source);
            }
            if (met != null && met.failure != null) {
                throw met.failure;
            }
            if (met != null) {
                return put;
            }
            if (!source.hasRemaining() || deadline == Deadlines.TRY) {
                return 0;
            }
            await(wait, pause, deadline, "a write to a scripted stream");
        }
    }

    /** Under the lock. Returns how many bytes were written, or -1 if the script says others, or an exception. */
    private int put(ScriptStep met, ByteBuffer source, long now) {
        if (met.kind == Kind.WRITE_ERROR) {
            play(met, now);
            return -1;
        }
        int length = Math.min(source.remaining(), met.bytes.length - met.at);
        for (int i = 0; i < length; i++) {
            if (source.get(source.position() + i) != met.bytes[met.at + i]) {
                return -1;
            }
        }
        source.position(source.position() + length);
        met.at += length;
        if (met.at == met.bytes.length) {
            play(met, now);
        }
        return length;
    }

    /** Breaks the stream, for all who use it. */
    private AssertionError mismatch(@Nullable ScriptStep met, ByteBuffer source) {
        byte[] written = new byte[source.remaining()];
        source.get(source.position(), written); // which leaves the position: nothing was written
        String what;
        lock();
        int number = met == null ? 0 : steps.indexOf(met) + 1;
        int count = steps.size();
        unlock();
        if (met == null) {
            what = "the script of " + count + " actions says nothing more that is written, but written is "
                    + ScriptStep.text(written, 0) + " (" + ScriptStep.hex(written, 0) + ")";
        } else {
            int same = 0;
            while (written[same] == met.bytes[met.at + same]) {
                same++;
            }
            what = "what is written is not what action " + number + " of " + count + " of the script says, from byte "
                    + (met.at + same) + " on" + line("scripted: ", met.bytes, met.at)
                    + line("written:  ", written, 0);
        }
        WakeList woken = new WakeList();
        lock();
        try {
            wrong = what;
            wakeAll(woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return new AssertionError(what);
    }

    private static String line(String title, byte[] bytes, int from) {
        String blanks = System.lineSeparator() + " ".repeat(4 + title.length());
        return System.lineSeparator() + "    " + title + ScriptStep.text(bytes, from) + blanks
                + ScriptStep.hex(bytes, from);
    }

    /* ---------------- Turns, waits, the end -------------- */

    /** {@return the turn, or null if it is only to be tried, and is not to be had} */
    private static @Nullable Permit enter(Semaphore turn, long deadline) throws IOException {
        return deadline == Deadlines.TRY ? turn.tryAcquire() : Deadlines.turn(turn, deadline);
    }

    private void await(@Nullable Wait wait, long pause, long deadline, String what) throws IOException {
        if (wait == null) {
            throw Deadlines.passed(what);
        }
        if (!Deadlines.await(wait, Math.min(deadline, pause)) && deadline <= pause) {
            throw Deadlines.passed(what);
        }
    }

    private void ensureOpen() throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    private void ensureWritable() throws IOException {
        if (closed || shut) {
            throw new ClosedChannelException();
        }
    }

    private void ensureStillOpen() throws IOException {
        if (closed) {
            throw new AsynchronousCloseException();
        }
        String broken = wrong;
        if (broken != null) {
            throw new AssertionError(broken);
        }
    }

    boolean isOpen() {
        return !closed;
    }

    void shutDownOutput() throws IOException {
        ensureOpen();
        end(false);
    }

    /** {@return whether it was open} */
    boolean close() {
        return end(true);
    }

    private boolean end(boolean both) {
        WakeList woken = new WakeList();
        boolean first;
        lock();
        try {
            first = !closed;
            shut = true;
            closed |= both;
            wakeAll(woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return first;
    }

    private void wakeAll(WakeList woken) {
        version++;
        wake(readers, woken);
        wake(writers, woken);
    }

    private static void wake(WaitQueue queue, WakeList woken) {
        for (WaitNode node; (node = queue.poll()) != null; ) {
            if (node.grant()) {
                woken.add(node);
            } // else it has given up
        }
    }

    /** {@return what is wrong with how the script was played so far; null if all was, and nothing else} */
    @Nullable
    String complaint() {
        lock();
        String broken = wrong;
        List<ScriptStep> all = new ArrayList<>(steps);
        unlock();
        return broken != null ? broken : leftover(all);
    }

    @Override
    public @Nullable String leftover() {
        return leftover(steps);
    }

    /** What was not played; pauses do not count, since nobody has to sit them out. */
    private static @Nullable String leftover(List<ScriptStep> steps) {
        StringBuilder left = new StringBuilder();
        int count = 0;
        for (int i = 0; i < steps.size(); i++) {
            ScriptStep step = steps.get(i);
            if (!step.played && step.kind != Kind.WAIT) {
                count++;
                left.append(count == 1 ? "" : "; ").append(i + 1).append(": ").append(step);
            }
        }
        return count == 0 ? null : count + " of " + steps.size() + " actions of the script were not played: " + left;
    }

    /** For dumps: as far as is known without the lock. */
    @Override
    public String toString() {
        int next = head;
        int count = steps.size();
        return "scripted stream, "
                + (next >= count
                        ? "all " + count + " actions played"
                        : "action " + (next + 1) + " of " + count + ": " + steps.get(next));
    }

    /** {@return whether a read, or a write, would not wait} Under the lock. */
    private boolean isReady(boolean reading) {
        if (closed || wrong != null || (reading ? ended : shut)) {
            return true;
        }
        return meets(reading, Waiter.current().nanoTime()) != null
                || !reading && !hasUnplayed(false) && until == NOT_PAUSED;
    }

    private final class Direction implements Selectable<@Nullable Void> {
        private final boolean reading;

        Direction(boolean reading) {
            this.reading = reading;
        }

        @Override
        public Clause<@Nullable Void> clause() {
            return new Ready(reading);
        }
    }

    /** That there is something to be read, or to be written, or to be told. Takes nothing. */
    private final class Ready extends Attempt<@Nullable Void> {
        private final boolean reading;

        Ready(boolean reading) {
            super(newSignal(reading));
            this.reading = reading;
        }

        @Override
        protected Attempt<@Nullable Void> renewed() {
            return new Ready(reading);
        }

        @Override
        protected @Nullable Object attempt(boolean signalled) {
            lock();
            try {
                return isReady(reading) ? null : NOT_READY;
            } finally {
                unlock();
            }
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }

    private Signal newSignal(boolean reading) {
        lock();
        try {
            isReady(reading); // which begins a pause that nobody has come to
            return new Signal(reading, version, until);
        } finally {
            unlock();
        }
    }

    /** That it is worth to look: a pause has ended, or something has changed since this was made. */
    private final class Signal extends Clause<@Nullable Void> {
        private final boolean reading;
        private final long seen;
        private final long pause;

        Signal(boolean reading, long seen, long pause) {
            super(Playing.this);
            this.reading = reading;
            this.seen = seen;
            this.pause = pause;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return isReady(reading) || version != seen ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            (reading ? readers : writers).add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }

        @Override
        protected long deadline() {
            return pause;
        }
    }
}
