package dev.kumihimo.signal;

import dev.kumihimo.internal.jdk.OsSignal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/*
 * A source is there while its signal has listeners: the first has our handler put in, the last has it taken out.
 *
 * LOCK guards the map, its sources and `ending`. It is taken by those who listen and close, by the threads that the JVM starts
 * for a signal, and by the hook; nothing waits under it, and no code of users runs. It comes before the JDK's lock on its
 * handlers and before the spin locks of the wait room, and is never taken under either.
 *
 * The JVM's thread may come when the last listener has just closed, or a handler on top of ours may go on calling it for ever:
 * what it finds without listeners it passes on to the handler before it.
 */

/** One signal of the process, and who listens for it. */
final class SignalSource {
    private static final Logger LOG = LoggerFactory.getLogger(Signal.class);

    /** What ends a JVM in order, and so runs its hooks; with their numbers, which are the same everywhere. */
    private static final Map<String, Integer> ENDING = Map.of("HUP", 1, "INT", 2, "TERM", 15);

    /** Those besides the ones it refuses itself that the JVM cannot do without: they tell it of faults. */
    private static final Set<String> FAULTS = Set.of("BUS", "TRAP");

    private static final Object LOCK = new Object();
    private static final Map<Integer, SignalSource> SOURCES = new HashMap<>(); // by number, since names have aliases
    private static boolean hooked;
    private static boolean ending;

    private final int number;
    private final @Nullable OsSignal signal; // null: the hook stands in
    private final List<Listener> listeners = new ArrayList<>();

    private SignalSource(int number, @Nullable OsSignal signal) {
        this.number = number;
        this.signal = signal;
    }

    /** Who listens. Its methods are called under the lock, but for the last: they wait for nothing. */
    abstract static class Listener {
        final SignalKind kind;
        final Duration patience;

        /**
         * Creates a listener.
         *
         * @param kind for what
         * @param patience how long the end of the process waits for its own
         */
        Listener(SignalKind kind, Duration patience) {
            this.kind = kind;
            this.patience = patience;
        }

        /** A signal has come. */
        abstract void told(int number);

        /** Where a hook stands in: the process is about to end. */
        abstract void ending();

        /** Waits until it has done what it has to do before the end. */
        abstract void awaitEnd(Duration timeout) throws InterruptedException, TimeoutException;
    }

    /** Has a listener told from now on. */
    static void add(Listener listener) {
        List<String> notes = new ArrayList<>();
        synchronized (LOCK) {
            OsSignal signal = find(listener.kind);
            int number = signal == null ? Objects.requireNonNull(ENDING.get(listener.kind.name())) : signal.number();
            SignalSource source = SOURCES.get(number);
            if (source == null) {
                source = open(listener.kind, number, signal, notes);
                SOURCES.put(number, source);
            }
            source.listeners.add(listener);
            if (source.signal == null && ending) {
                listener.ending();
            }
        }
        notes.forEach(LOG::warn);
    }

    /** Has a listener told no more. */
    static void remove(Listener listener) {
        synchronized (LOCK) {
            for (SignalSource source : SOURCES.values()) {
                if (source.listeners.remove(listener)) {
                    if (source.listeners.isEmpty()) {
                        SOURCES.remove(source.number);
                        if (source.signal != null) {
                            source.signal.uninstall();
                        }
                    }
                    return;
                }
            }
        }
    }

    /** {@return the signal of a kind, or null if a hook has to stand in for it} */
    private static @Nullable OsSignal find(SignalKind kind) {
        if (FAULTS.contains(kind.name())) {
            throw refused(kind, "the JVM learns of faults by it");
        }
        if (OsSignal.isSupported()) {
            try {
                return OsSignal.of(kind.name());
            } catch (IllegalArgumentException e) {
                throw refused(kind, "this system has no signal of that name");
            }
        }
        if (!ENDING.containsKey(kind.name())) {
            throw refused(kind, "without the module jdk.unsupported a JVM has none but INT, TERM and HUP");
        }
        return null;
    }

    private static SignalSource open(SignalKind kind, int number, @Nullable OsSignal signal, List<String> notes) {
        if (signal != null) {
            SignalSource source = new SignalSource(number, signal);
            try {
                signal.install(source::arrived);
                if (signal.wasIgnored() && ENDING.containsKey(kind.name())) {
                    notes.add(kind + " is ignored by this process, as it was started to: no listener will hear of it");
                }
                return source;
            } catch (IllegalArgumentException e) {
                if (!ENDING.containsKey(kind.name())) {
                    throw refused(kind, "the JVM or the system keeps it for itself");
                }
            }
        }
        hook(signal != null, notes);
        return new SignalSource(number, null);
    }

    private static IllegalArgumentException refused(SignalKind kind, String why) {
        return new IllegalArgumentException(kind + " cannot be listened for: " + why);
    }

    private static void hook(boolean reduced, List<String> notes) {
        if (hooked) {
            return;
        }
        hooked = true;
        notes.add(
                reduced
                        ? "SIGINT, SIGTERM and SIGHUP end this process at once, since the JVM was started with -Xrs:"
                                + " those who listen for them are told of System.exit alone"
                        : "without the module jdk.unsupported (--add-modules) a shutdown hook tells those who listen for"
                                + " SIGINT, SIGTERM and SIGHUP; a second signal and exit codes are the JVM's");
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(SignalSource::end, "kumihimo-signals"));
        } catch (IllegalStateException e) {
            ending = true; // it is on its way already
        }
    }

    /** Called by a thread of the JVM for each signal. */
    private void arrived() {
        synchronized (LOCK) {
            for (Listener listener : listeners) {
                listener.told(number);
            }
            if (!listeners.isEmpty()) {
                return;
            }
        }
        if (signal != null) {
            signal.passOn();
        }
    }

    /** Called by the hook: tells those for whom it stands in, and waits for them. */
    private static void end() {
        List<Listener> told = new ArrayList<>();
        synchronized (LOCK) {
            ending = true;
            for (SignalSource source : SOURCES.values()) {
                if (source.signal == null) {
                    source.listeners.forEach(Listener::ending);
                    told.addAll(source.listeners);
                }
            }
        }
        long begin = System.nanoTime();
        for (Listener listener : told) {
            try {
                Duration passed = Duration.ofNanos(System.nanoTime() - begin);
                listener.awaitEnd(listener.patience.minus(passed));
            } catch (TimeoutException e) {
                LOG.warn("{} is still open {} after it was told that the process ends", listener, listener.patience);
            } catch (InterruptedException e) {
                return; // nobody has a reason to: then the process ends now
            }
        }
    }

    /** {@return for how many numbers somebody listens, for tests} */
    static int size() {
        synchronized (LOCK) {
            return SOURCES.size();
        }
    }
}
