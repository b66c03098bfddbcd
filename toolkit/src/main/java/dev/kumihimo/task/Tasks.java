package dev.kumihimo.task;

import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Runs several bodies at once, each as a task, and waits for what they give together: all results, or the first.
 *
 * <pre>{@code
 * Page page = Tasks.both(() -> loadUser(id), () -> loadOrders(id), Page::new);
 * List<Quote> quotes = Tasks.all(suppliers.stream().map(s -> (Body<Quote, IOException>) () -> s.quote(item)).toList());
 * Answer first = Tasks.race(() -> ask(primary), () -> ask(replica));
 * }</pre>
 *
 * <p>Each call is a {@link JoinSet}: no task outlives it. If the caller is interrupted or cancelled, the tasks are aborted, and
 * the exception goes on once they have ended. {@code ScopedValue}s and the {@code Deadline} of the caller reach them.
 *
 * @since 0.1
 */
public final class Tasks {
    private Tasks() {}

    /**
     * Runs bodies, and waits for the results of all. The first that fails has the others aborted.
     *
     * @param bodies what to run
     * @param <T> their results
     * @return the results, in the order of the bodies
     * @throws ExecutionException if one failed; its cause is what that one threw, and what others threw when they were
     *     aborted for it is suppressed in it. All have ended
     * @throws InterruptedException if the caller is interrupted or cancelled; or a {@link TaskCancelledException} that is not
     *     the caller's own if one of the tasks was cancelled first. All have ended
     */
    public static <T extends @Nullable Object> List<T> all(List<? extends Body<? extends T, ?>> bodies)
            throws InterruptedException, ExecutionException {
        List<Body<? extends T, ?>> each = List.copyOf(bodies);
        List<@Nullable T> results = new ArrayList<>(each.size());
        try (JoinMap<Integer, T> map = JoinMap.open()) {
            for (int i = 0; i < each.size(); i++) {
                Body<? extends T, ?> body = each.get(i);
                results.add(null); // its place
                map.spawn(i, () -> body.call());
            }
            for (JoinMap.Entry<Integer, T> ended; (ended = map.joinNext()) != null; ) {
                switch (ended.result()) {
                    case JoinResult.Success<T>(T value) -> results.set(ended.key(), value);
                    case JoinResult.Failure<T>(Throwable first) -> throw failed(first, map);
                    case JoinResult.Cancelled<T> cancelled ->
                        cancelled.get(); // throws; the others end as the map is closed
                }
            }
        }
        return complete(results);
    }

    @SuppressWarnings("NullAway") // every body has put its result in; it is null only if T may be
    private static <T extends @Nullable Object> List<T> complete(List<@Nullable T> results) {
        return results;
    }

    private static ExecutionException failed(Throwable first, JoinMap<?, ?> others) {
        ExecutionException failed = new ExecutionException(first);
        others.abortAll();
        for (JoinResult<?> result; (result = others.drainNext()) != null; ) {
            if (result instanceof JoinResult.Failure<?>(Throwable exception)) {
                failed.addSuppressed(exception);
            }
        }
        return failed;
    }

    /**
     * As {@link #all(List)}.
     *
     * @param bodies what to run
     * @param <T> their results
     * @return the results, in the order of the bodies
     * @throws ExecutionException as in {@link #all(List)}
     * @throws InterruptedException as in {@link #all(List)}
     */
    @SafeVarargs
    @SuppressWarnings("varargs") // the array is only read
    public static <T extends @Nullable Object> List<T> all(Body<? extends T, ?>... bodies)
            throws InterruptedException, ExecutionException {
        return all(Arrays.asList(bodies));
    }

    /**
     * Runs two bodies, and makes one result of theirs. The first that fails has the other aborted.
     *
     * @param first what to run
     * @param second what to run beside it
     * @param combiner makes the result, in the calling thread
     * @param <A> the result of the first
     * @param <B> the result of the second
     * @param <R> the result of both
     * @return what the combiner makes
     * @throws ExecutionException as in {@link #all(List)}
     * @throws InterruptedException as in {@link #all(List)}
     */
    @SuppressWarnings({"unchecked", "NullAway"}) // the results come in the order of the bodies
    public static <A extends @Nullable Object, B extends @Nullable Object, R extends @Nullable Object> R both(
            Body<A, ?> first, Body<B, ?> second, BiFunction<? super A, ? super B, ? extends R> combiner)
            throws InterruptedException, ExecutionException {
        Objects.requireNonNull(combiner, "combiner");
        List<@Nullable Object> results = all(first, second);
        return combiner.apply((A) results.get(0), (B) results.get(1));
    }

    /**
     * Runs bodies, and waits for the first result; then the others are aborted. A body that fails or is cancelled is out of the
     * race, which is lost only if all are.
     *
     * @param bodies what to run, at least one
     * @param <T> their results
     * @return the result that came first; all have ended
     * @throws ExecutionException if none has a result and at least one failed; its cause is what the first to fail threw, and
     *     what the others threw is suppressed in it
     * @throws InterruptedException if the caller is interrupted or cancelled; or a {@link TaskCancelledException} that is not
     *     the caller's own if all were cancelled. All have ended
     * @throws IllegalArgumentException if there is none to run
     */
    public static <T extends @Nullable Object> T race(List<? extends Body<? extends T, ?>> bodies)
            throws InterruptedException, ExecutionException {
        List<Body<? extends T, ?>> each = List.copyOf(bodies);
        if (each.isEmpty()) {
            throw new IllegalArgumentException("bodies=[], but a race needs at least one");
        }
        ExecutionException failed = null;
        JoinResult<T> last = null;
        try (JoinSet<T> set = JoinSet.open()) {
            for (Body<? extends T, ?> body : each) {
                set.spawn(() -> body.call());
            }
            for (JoinResult<T> result; (result = set.joinNext()) != null; last = result) {
                if (result instanceof JoinResult.Success<T>(T value)) {
                    return value;
                }
                if (result instanceof JoinResult.Failure<T>(Throwable exception)) {
                    if (failed == null) {
                        failed = new ExecutionException(exception);
                    } else {
                        failed.addSuppressed(exception);
                    }
                }
            }
        }
        if (failed != null) {
            throw failed;
        }
        return Objects.requireNonNull(last).get(); // throws: all were cancelled
    }

    /**
     * As {@link #race(List)}.
     *
     * @param bodies what to run, at least one
     * @param <T> their results
     * @return the result that came first; all have ended
     * @throws ExecutionException as in {@link #race(List)}
     * @throws InterruptedException as in {@link #race(List)}
     */
    @SafeVarargs
    @SuppressWarnings("varargs") // the array is only read
    public static <T extends @Nullable Object> T race(Body<? extends T, ?>... bodies)
            throws InterruptedException, ExecutionException {
        return race(Arrays.asList(bodies));
    }
}
