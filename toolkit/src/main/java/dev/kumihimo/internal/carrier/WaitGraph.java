package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.wait.Wait;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a task is stuck if it waits, and all who could end its wait are known and stuck. Each wait may be for several
 * threads of which one that goes on is enough (a set's tasks, the branches of a select), so a cycle alone proves nothing; a
 * set of tasks none of which waits for anybody outside does. Within such a set there is a cycle, which is what gets drawn.
 * Truth: exact while none of the tasks runs. Else each fact is read at a time of its own, and a set may be passing.
 */

/** Who waits for whom: for reports, which ask it about tasks that they have at hand. No lock is taken. */
public final class WaitGraph {
    /**
     * So many tasks are looked at for one that has begun to wait, or long chains would take the square of their length; with
     * more, only idleness tells.
     */
    private static final int REACH = 256;

    private WaitGraph() {}

    /** {@return the live task whose thread it is, or null} */
    public static @Nullable LiveTask taskOf(Thread thread) {
        return thread.getUncaughtExceptionHandler() instanceof LiveTask task && task.threadOrNull() == thread
                ? task
                : null;
    }

    /**
     * {@return those who can end the wait that a task is in; null if it is in none, or it may be ended by anybody, or by a thread
     * that is no task}
     */
    private static @Nullable List<LiveTask> awaited(LiveTask task) {
        Wait wait = task.openWait();
        if (wait == null || wait.isDecided()) {
            return null;
        }
        List<Thread> holders = wait.holders();
        if (holders.isEmpty()) {
            return null;
        }
        List<LiveTask> tasks = new ArrayList<>(holders.size());
        for (Thread holder : holders) {
            LiveTask owner = taskOf(holder);
            if (owner == null) {
                return null;
            }
            tasks.add(owner);
        }
        return tasks;
    }

    /**
     * {@return a cycle of tasks that wait for each other, and that one leads to, itself or through others; empty if somebody that
     * can go on will end its wait, or may}
     *
     * @param from who has begun to wait
     * @param goesOn whether a task will go on whatever the others do: is ready, or has a deadline
     */
    public static List<LiveTask> cycleFrom(LiveTask from, Predicate<LiveTask> goesOn) {
        List<LiveTask> reached = new ArrayList<>(4);
        Map<LiveTask, LiveTask> first = new IdentityHashMap<>(8);
        reached.add(from);
        for (int i = 0; i < reached.size(); i++) {
            LiveTask task = reached.get(i);
            List<LiveTask> awaited = awaited(task);
            if (awaited == null || goesOn.test(task) || reached.size() > REACH) {
                return List.of();
            }
            first.put(task, awaited.get(0));
            for (LiveTask next : awaited) {
                if (!first.containsKey(next) && !reached.contains(next)) {
                    reached.add(next);
                }
            }
        }
        return cycle(from, first);
    }

    /** Follows the first that each waits for, up to one that was met before. */
    private static List<LiveTask> cycle(LiveTask from, Map<LiveTask, LiveTask> first) {
        Set<LiveTask> met = new LinkedHashSet<>();
        LiveTask task = from;
        while (task != null && met.add(task)) {
            task = first.get(task);
        }
        List<LiveTask> path = List.copyOf(met);
        return task == null ? List.of() : path.subList(path.indexOf(task), path.size());
    }

    /**
     * {@return the cycles among tasks, each once}
     *
     * @param tasks any tasks
     * @param goesOn whether a task will go on whatever the others do
     */
    public static List<List<LiveTask>> cycles(Collection<LiveTask> tasks, Predicate<LiveTask> goesOn) {
        Map<LiveTask, List<LiveTask>> stuck = stuck(tasks, goesOn);
        Map<LiveTask, LiveTask> first = new IdentityHashMap<>();
        stuck.forEach((task, awaited) -> first.put(task, awaited.get(0)));
        List<List<LiveTask>> found = new ArrayList<>();
        Map<LiveTask, LiveTask> done = new IdentityHashMap<>(); // each task, and from where it was reached
        for (LiveTask start : tasks) {
            LiveTask task = stuck.containsKey(start) ? start : null;
            while (task != null && !done.containsKey(task)) {
                done.put(task, start);
                task = first.get(task);
            }
            if (task != null && done.get(task) == start) {
                found.add(cycle(task, first));
            }
        }
        return found;
    }

    /** Takes those away that wait for one that is not there, until all wait for others that are. */
    private static Map<LiveTask, List<LiveTask>> stuck(Collection<LiveTask> tasks, Predicate<LiveTask> goesOn) {
        Map<LiveTask, List<LiveTask>> stuck = new IdentityHashMap<>();
        Map<LiveTask, List<LiveTask>> waiting = new IdentityHashMap<>(); // for each, who waits for it
        for (LiveTask task : tasks) {
            List<LiveTask> awaited = goesOn.test(task) ? null : awaited(task);
            // Mostly who is waited for waits for nobody in particular: then there is nothing to remember.
            if (awaited != null && awaited.stream().allMatch(next -> awaited(next) != null)) {
                stuck.put(task, awaited);
                awaited.forEach(next ->
                        waiting.computeIfAbsent(next, key -> new ArrayList<>(1)).add(task));
            }
        }
        Deque<LiveTask> free = new ArrayDeque<>();
        waiting.keySet().stream().filter(task -> !stuck.containsKey(task)).forEach(free::add);
        for (LiveTask task; (task = free.poll()) != null; ) {
            for (LiveTask waiter : waiting.getOrDefault(task, List.of())) {
                if (stuck.remove(waiter) != null) {
                    free.add(waiter);
                }
            }
        }
        return stuck;
    }
}
