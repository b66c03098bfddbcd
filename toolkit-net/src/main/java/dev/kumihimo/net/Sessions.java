package dev.kumihimo.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.runtime.Task;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The sessions of a {@link TcpServer} that have not finished, and how they are brought to an end. */
final class Sessions<S extends ByteStream> {
    private static final Logger LOG = LoggerFactory.getLogger(TcpServer.class);

    private final Map<Session<S>, Long> open = new ConcurrentHashMap<>(); // and which each was: they end in that order
    private final AtomicLong numbers = new AtomicLong();
    private boolean hurried; // of the thread that serves: it was interrupted during the end

    /** Takes one in, before its task starts. */
    void add(Session<S> session) {
        open.put(session, numbers.getAndIncrement());
    }

    /** Lets go of one that has finished. */
    void remove(Session<S> session) {
        open.remove(session);
    }

    /** {@return the session whose task calls, or null} */
    @Nullable
    Session<S> current() {
        Task caller = Task.currentOrNull();
        if (caller != null) {
            for (Session<S> session : open.keySet()) {
                if (session.isRunBy(caller)) {
                    return session;
                }
            }
        }
        return null;
    }

    int count() {
        return open.size();
    }

    /** Lets sessions end by themselves, then aborts them, then takes their streams away. No more are added by now. */
    TcpServer.Report end(String server, long accepted, Duration drainTimeout, Duration abortTimeout) {
        List<Session<S>> last = open.entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .toList();
        LOG.debug("{} ends with {} sessions", server, last.size());
        awaitEnd(last, drainTimeout);
        List<Session<S>> late = running(last);
        List<String> aborted = names(late);
        if (!late.isEmpty()) {
            LOG.warn("{} aborts the sessions that have not ended: {}", server, aborted);
            late.forEach(Session::abort);
            awaitEnd(late, abortTimeout);
        }
        List<String> left = names(running(late));
        if (!left.isEmpty()) {
            LOG.warn("{} aborted sessions that have not ended within {}: {}", server, abortTimeout, left);
        }
        last.forEach(Session::finish); // those that never began, and those that are left
        return new TcpServer.Report(accepted, aborted, left);
    }

    /** Whether the end was cut short by an interrupt. */
    boolean wasHurried() {
        return hurried;
    }

    /** Waits for the end of sessions, up to a time, or until interrupted. */
    private void awaitEnd(List<Session<S>> sessions, Duration timeout) {
        long deadline = Deadlines.of(timeout);
        try {
            for (Session<S> session : sessions) {
                session.awaitEnd(Deadlines.remaining(deadline));
            }
        } catch (TimeoutException e) {
            // who has not ended is asked by the caller
        } catch (InterruptedException e) {
            hurried = true;
        }
    }

    private List<Session<S>> running(List<Session<S>> of) {
        return of.stream().filter(session -> !session.isFinished()).toList();
    }

    private List<String> names(List<Session<S>> sessions) {
        return sessions.stream().map(Session::toString).sorted().toList();
    }
}
