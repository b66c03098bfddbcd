package dev.kumihimo.task;

import dev.kumihimo.runtime.AbortHandle;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A {@link JoinSet} whose tasks have keys, at most one for each: by its key a task can be aborted, and replaced.
 *
 * <pre>{@code
 * try (var loads = JoinMap.<Symbol, Quote>open()) {
 *     for (Symbol symbol; (symbol = requests.receiveOrNull()) != null; ) {
 *         loads.spawn(symbol, () -> load(symbol));     // a newer request replaces the one under way
 *         for (JoinMap.Entry<Symbol, Quote> done; (done = loads.tryJoinNext()) != null; ) {
 *             publish(done.key(), done.result());
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>Spawning under a key that is taken aborts that task and lets the new one have the key. A replaced task is never joined,
 * even if it had ended before; closing the map waits for it nevertheless.
 *
 * <p>All else is as with a {@code JoinSet}: it belongs to the thread that opened it, and waits end by an interrupt or
 * cancellation of the owner with {@link InterruptedException}, and then nothing was removed. What a task did happens-before its
 * result is returned.
 *
 * @param <K> the keys, with {@code equals} and {@code hashCode}
 * @param <T> the result of its tasks
 * @since 0.1
 */
public final class JoinMap<K, T extends @Nullable Object> implements AutoCloseable {
    /**
     * A task that has ended, and been removed from the map.
     *
     * <pre>{@code
     * if (loads.joinNext() instanceof JoinMap.Entry<Symbol, Quote>(var symbol, JoinResult.Success<Quote>(var quote))) { ... }
     * }</pre>
     *
     * @param key its key
     * @param result how it ended
     * @param <K> the keys
     * @param <T> the result of the tasks
     * @since 0.1
     */
    public record Entry<K, T extends @Nullable Object>(K key, JoinResult<T> result) {}

    private static final class Keyed<K> extends Member {
        final K key;

        Keyed(OwnedTasks tasks, K key, Object body, boolean blocking) {
            super(tasks, null, body, blocking);
            this.key = key;
        }
    }

    private final OwnedTasks tasks = new OwnedTasks("JoinMap", Integer.MAX_VALUE);
    private final Map<K, Keyed<K>> byKey = new HashMap<>();

    private JoinMap() {}

    /**
     * {@return a map owned by the calling thread, which must close it}
     *
     * @param <K> the keys
     * @param <T> the result of its tasks
     */
    public static <K, T extends @Nullable Object> JoinMap<K, T> open() {
        return new JoinMap<>();
    }

    /* ---------------- Spawning -------------- */

    /**
     * Starts a task under a key, in the ambient runtime. If there is one under that key already, it is aborted and will not be
     * joined; this does not wait for its end.
     *
     * @param key its key
     * @param body what it runs
     * @return the right to abort it; its result comes from joining
     * @throws InterruptedException if the caller is interrupted or cancelled; nothing was started or replaced
     * @throws WrongThreadException if the caller is not the owner
     * @throws IllegalStateException if the map is closed
     */
    public AbortHandle spawn(K key, Body<T, ?> body) throws InterruptedException {
        return put(key, body, false);
    }

    /**
     * Starts a task without a result under a key, see {@link #spawn(Object, Body)}.
     *
     * @param key its key
     * @param body what it runs
     * @return the right to abort it
     * @throws InterruptedException as in {@link #spawn(Object, Body)}
     */
    public AbortHandle spawn(K key, VoidBody<?> body) throws InterruptedException {
        return put(key, body, false);
    }

    /**
     * Starts a job on the blocking pool under a key, see {@link #spawn(Object, Body)} and {@link JoinSet#spawnBlocking}.
     *
     * @param key its key
     * @param body what it runs
     * @return the right to abort it; its result comes from joining
     * @throws InterruptedException as in {@link #spawn(Object, Body)}
     * @throws java.util.concurrent.RejectedExecutionException if all blocking threads are busy and their queue is full; nothing
     *     was started or replaced
     */
    public AbortHandle spawnBlocking(K key, Body<T, ?> body) throws InterruptedException {
        return put(key, body, true);
    }

    private AbortHandle put(K key, Object body, boolean blocking) throws InterruptedException {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(body, "body");
        tasks.awaitSlot();
        Keyed<K> member = new Keyed<>(tasks, key, body, blocking);
        Keyed<K> replaced = byKey.put(key, member); // before the start, since it may run out of memory
        AbortHandle handle;
        try {
            handle = tasks.start(member, blocking);
        } catch (Throwable e) {
            if (replaced == null) {
                byKey.remove(key);
            } else {
                byKey.put(key, replaced);
            }
            throw e;
        }
        if (replaced != null) {
            tasks.discard(
                    replaced, new CancelReason(CancelReason.Kind.SCOPE, "another task took its key in a JoinMap"));
        }
        return handle;
    }

    /* ---------------- Joining -------------- */

    /**
     * Waits for the next task to complete, and removes it from the map.
     *
     * @return its key and how it ended, or null if the map is empty
     * @throws InterruptedException if interrupted or cancelled while it waits; no task was removed
     * @throws WrongThreadException if the caller is not the owner
     */
    public @Nullable Entry<K, T> joinNext() throws InterruptedException {
        return size() == 0 ? null : joined(tasks.takeNext());
    }

    /**
     * As {@link #joinNext()}, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return its key and how it ended, or null if the map is empty
     * @throws InterruptedException if interrupted or cancelled while it waits; no task was removed
     * @throws TimeoutException if none completed in time; no task was removed
     */
    public @Nullable Entry<K, T> joinNext(Duration timeout) throws InterruptedException, TimeoutException {
        int size = size();
        return size == 0 ? null : joined(tasks.takeNext(timeout, size));
    }

    /**
     * Removes a task that has completed, if there is one. Never waits.
     *
     * @return its key and how it ended, or null if none has, or the map is empty
     */
    public @Nullable Entry<K, T> tryJoinNext() {
        Member done = tasks.tryTakeNext();
        return done == null ? null : joined(done);
    }

    @SuppressWarnings("unchecked") // put() makes no others
    private Entry<K, T> joined(Member member) {
        K key = ((Keyed<K>) member).key;
        byKey.remove(key);
        return new Entry<>(key, OwnedTasks.resultOf(member));
    }

    /** Waits uninterruptibly for any task, and removes it; null if there is none. For those who never replace one. */
    @Nullable
    JoinResult<T> drainNext() {
        return size() == 0 ? null : joined(tasks.takeUninterruptibly()).result();
    }

    /* ---------------- By key -------------- */

    /**
     * Aborts the task under a key. It stays in the map, to be joined; if it has already ended, it keeps its result.
     *
     * @param key its key
     * @return false if there is none
     */
    public boolean abort(K key) {
        tasks.ensureOwner();
        Keyed<K> member = byKey.get(key);
        if (member == null) {
            return false;
        }
        member.task.abort(aborted());
        return true;
    }

    /**
     * Aborts the tasks with certain keys. They stay in the map, to be joined.
     *
     * @param condition which; it must not use the map
     */
    public void abortIf(Predicate<? super K> condition) {
        tasks.ensureOwner();
        CancelReason reason = aborted();
        byKey.forEach((key, member) -> {
            if (condition.test(key)) {
                member.task.abort(reason);
            }
        });
    }

    private static CancelReason aborted() {
        return new CancelReason(CancelReason.Kind.SCOPE, "its JoinMap aborted it");
    }

    /**
     * {@return whether there is a task under a key that has not been joined, be it that it has ended}
     *
     * @param key its key
     */
    public boolean containsKey(K key) {
        tasks.ensureOwner();
        return byKey.containsKey(key);
    }

    /** {@return the keys of the tasks that have not been joined, as they are now; not modifiable} */
    public Set<K> keys() {
        tasks.ensureOwner();
        return Set.copyOf(byKey.keySet());
    }

    /** {@return how many tasks have not been joined, ended ones included, and replaced ones not} */
    public int size() {
        tasks.ensureOwner();
        return byKey.size();
    }

    /** {@return whether all tasks have been joined} */
    public boolean isEmpty() {
        return size() == 0;
    }

    /* ---------------- Ending -------------- */

    /** Aborts all tasks of the map. They stay in it, to be joined; one that has already ended keeps its result. */
    public void abortAll() {
        tasks.abortAll();
    }

    /** Aborts all tasks, waits uninterruptibly until they have ended, and drops their results. The map can be used further. */
    public void shutdown() {
        tasks.shutdown();
        byKey.clear();
    }

    /**
     * Aborts all tasks that are left, waits uninterruptibly until they, and those that were replaced, have ended, and drops
     * their results. An interrupt or cancellation meanwhile is kept for later. Idempotent.
     *
     * @throws WrongThreadException if the caller is not the owner
     */
    @Override
    public void close() {
        tasks.close();
        byKey.clear();
    }

    @Override
    public String toString() {
        return tasks.toString();
    }
}
