package dev.kumihimo.runtime;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.Table;
import dev.kumihimo.internal.carrier.UserFrames;
import dev.kumihimo.internal.carrier.WaitGraph;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.runtime.DumpedTask.Doing;
import dev.kumihimo.runtime.DumpedTask.Holder;
import dev.kumihimo.runtime.DumpedTask.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the tasks of a runtime were doing at about one time: who spawned whom, what each does or waits for, who holds that, and
 * where in the user's code it is; and who waits for each other. Made by {@link TaskRuntime#dump()}.
 *
 * <pre>{@code
 * log.info("{}", TaskRuntime.global().dump());       // for a person
 * Files.writeString(path, runtime.dump().toJson());  // for a tool
 * }</pre>
 *
 * <p>The text has a line for each task, below the task that spawned it and the set that it belongs to:
 *
 * <pre>{@code
 * runtime orders at 2026-11-26T10:15:30Z, JDK 25.0.3: 3 live tasks
 * 2 waiting, 1 running
 * #31 task "main"      waiting for JoinSet with 2 running (#33, #34)      at Orders.java:88
 *   JoinSet[task "main" in runtime orders]
 *   #33 task "load"    waiting for mutex held by task "store" (#34)       at Load.java:12
 *   #34 task "store"   running                                            at Store.java:40
 * }</pre>
 *
 * <p>It is no snapshot: tasks run on while it is taken, and each is seen at a time of its own. So tasks that are said to wait for
 * each other may only have seemed to; if the next dump says so too, they do.
 *
 * <p>Immutable, and holds on to nothing of what it tells.
 *
 * @since 0.1
 */
public final class TaskDump {
    private static final int MOST_INDENTED = 30;

    private final String runtime;
    private final Instant time;
    private final int live;
    private final Map<Doing, Integer> counts;
    private final List<DumpedTask> tasks;
    private final Map<State, Integer> others;
    private final List<List<Edge>> cycles;

    /** A task of a cycle, and what it waits for. */
    private record Edge(long id, String title, String waitsFor) {}

    private TaskDump(
            String runtime,
            Instant time,
            int live,
            Map<Doing, Integer> counts,
            List<DumpedTask> tasks,
            Map<State, Integer> others,
            List<List<Edge>> cycles) {
        this.runtime = runtime;
        this.time = time;
        this.live = live;
        this.counts = counts;
        this.tasks = tasks;
        this.others = others;
        this.cycles = cycles;
    }

    /* ---------------- Taking it -------------- */

    /**
     * Looks at the tasks of a runtime.
     *
     * @param most how many are told one by one; of all others only what they do
     */
    static TaskDump of(TaskRuntime runtime, int most) {
        Instant time = Instant.now();
        List<LiveTask> all = runtime.core().registry().snapshot();
        List<List<LiveTask>> found = WaitGraph.cycles(all, TaskDump::goesOn);
        Set<LiveTask> chosen = new HashSet<>();
        List<List<Edge>> cycles = new ArrayList<>();
        for (List<LiveTask> cycle : found) {
            List<Edge> edges = new ArrayList<>();
            for (LiveTask task : cycle) {
                edges.add(new Edge(
                        task.id(),
                        task.toString(),
                        String.valueOf(DumpedTask.stateOf(task).what())));
                if (chosen.size() < most) {
                    chosen.add(task);
                }
            }
            cycles.add(List.copyOf(edges));
        }
        all.sort(Comparator.comparingLong(LiveTask::id));
        for (LiveTask task : all) {
            if (chosen.size() >= most) {
                break;
            }
            chosen.add(task);
        }
        List<DumpedTask> tasks = new ArrayList<>();
        Map<State, Integer> others = new HashMap<>();
        Map<Doing, Integer> counts = new EnumMap<>(Doing.class);
        for (LiveTask task : all) {
            State state;
            if (chosen.contains(task)) {
                DumpedTask dumped = DumpedTask.of(task);
                tasks.add(dumped);
                state = new State(dumped.doing(), dumped.what());
            } else {
                state = DumpedTask.stateOf(task);
                others.merge(state, 1, Integer::sum);
            }
            counts.merge(state.doing(), 1, Integer::sum);
        }
        return new TaskDump(runtime.name(), time, all.size(), counts, List.copyOf(tasks), ordered(others), cycles);
    }

    /** {@return whether a task has a deadline, of its region or of what it waits for, that will end its wait} */
    private static boolean goesOn(LiveTask task) {
        Wait wait = task.openWait();
        return wait != null && wait.isTimed() || task.regionDeadline() != Long.MAX_VALUE;
    }

    /** Those that most are in come first. */
    private static Map<State, Integer> ordered(Map<State, Integer> counted) {
        Map<State, Integer> ordered = new LinkedHashMap<>();
        counted.entrySet().stream()
                .sorted(Map.Entry.<State, Integer>comparingByValue().reversed())
                .forEach(entry -> ordered.put(entry.getKey(), entry.getValue()));
        return ordered;
    }

    /* ---------------- Facts -------------- */

    /** {@return the name of the runtime} */
    public String runtime() {
        return runtime;
    }

    /** {@return when it was begun, on the system's clock} */
    public Instant time() {
        return time;
    }

    /** {@return how many tasks and blocking jobs had not ended} */
    public int liveTasks() {
        return live;
    }

    /** {@return whether some tasks seemed to wait for each other; see above} */
    public boolean hasCycle() {
        return !cycles.isEmpty();
    }

    /* ---------------- As text -------------- */

    /** {@return it as text, of several lines; the last has no line break} */
    @Override
    public String toString() {
        List<String> lines = new ArrayList<>();
        lines.add("runtime " + runtime + " at " + time + ", JDK " + Runtime.version() + ": " + live + " live task"
                + (live == 1 ? "" : "s"));
        if (!counts.isEmpty()) {
            StringBuilder text = new StringBuilder();
            counts.forEach((doing, count) -> text.append(text.isEmpty() ? "" : ", ")
                    .append(count)
                    .append(' ')
                    .append(doing.word()));
            lines.add(text.toString());
        }
        lines.addAll(tree());
        if (!others.isEmpty()) {
            lines.add("and " + (live - tasks.size()) + " more:");
            others.forEach((state, count) -> lines.add("  " + count + " "
                    + state.doing().word()
                    + (state.what() == null
                            ? ""
                            : (state.doing() == Doing.WAITING || state.doing() == Doing.RESUMING ? " for " : ", ")
                                    + state.what())));
        }
        for (List<Edge> cycle : cycles) {
            StringBuilder text = new StringBuilder("cycle, which may be passing: ");
            for (Edge edge : cycle) {
                text.append(edge.title).append(" -> ").append(edge.waitsFor).append(" -> ");
            }
            lines.add(text.append(cycle.get(0).title).toString());
        }
        return String.join(System.lineSeparator(), lines);
    }

    /** A line to come: of a task, or the heading of a set. */
    private record Pending(@Nullable DumpedTask task, String group, int depth) {}

    private List<String> tree() {
        Map<Integer, List<DumpedTask>> children = new HashMap<>();
        Set<Integer> keys = new HashSet<>();
        tasks.forEach(task -> keys.add(task.key()));
        for (DumpedTask task : tasks) {
            boolean root = !keys.contains(task.spawner()) || task.spawner() == task.key();
            children.computeIfAbsent(root ? 0 : task.spawner(), key -> new ArrayList<>())
                    .add(task);
        }
        Table table = new Table();
        Deque<Pending> stack = new ArrayDeque<>();
        push(stack, children.get(0), 0);
        for (Pending next; (next = stack.poll()) != null; ) {
            String indent = "  ".repeat(Math.min(next.depth, MOST_INDENTED));
            DumpedTask task = next.task;
            if (task == null) {
                table.row(indent + next.group);
                continue;
            }
            table.row(
                    indent + task.number() + " " + task.title(),
                    task.told(),
                    task.nanosLeft() == Long.MAX_VALUE ? "" : "deadline in " + seconds(task.nanosLeft()),
                    task.at() == null ? "" : "at " + UserFrames.place(task.at()));
            push(stack, children.remove(task.key()), next.depth + 1);
        }
        return table.lines();
    }

    /** Puts tasks before what comes, those of no set first. */
    private static void push(Deque<Pending> stack, @Nullable List<DumpedTask> tasks, int depth) {
        if (tasks == null) {
            return;
        }
        Map<String, List<DumpedTask>> bySet = new LinkedHashMap<>();
        List<Pending> pending = new ArrayList<>();
        for (DumpedTask task : tasks) {
            if (task.group() == null) {
                pending.add(new Pending(task, "", depth));
            } else {
                bySet.computeIfAbsent(task.group(), key -> new ArrayList<>()).add(task);
            }
        }
        bySet.forEach((set, members) -> {
            pending.add(new Pending(null, set, depth));
            members.forEach(member -> pending.add(new Pending(member, "", depth)));
        });
        for (int i = pending.size() - 1; i >= 0; i--) {
            stack.push(pending.get(i));
        }
    }

    private static String seconds(long nanos) {
        return String.format(
                Locale.ROOT, "%.3f s", nanos / (double) Duration.ofSeconds(1).toNanos());
    }

    /* ---------------- As JSON -------------- */

    /**
     * {@return it as JSON, an object in one line} Its members: {@code runtime}, {@code time} (ISO 8601), {@code jdk}, {@code live},
     * {@code counts} (a number for each state), {@code tasks}, {@code others} and {@code cycles}. A task has {@code id},
     * {@code name}, {@code kind} ({@code task} or {@code job}), {@code state} (as in the text) and, where there is one,
     * {@code what} (it waits for, or the state of its thread), {@code holders} (each an {@code id} if it is a task, and a
     * {@code name}), {@code deadlineNanos} (left), {@code at} (a stack frame), {@code spawner} (the id of a task that is in
     * {@code tasks} too) and {@code set}. {@code others} has {@code count}, {@code state} and {@code what} of those that are not
     * told one by one. {@code cycles} is an array of arrays of {@code id} and {@code what}. More members may come with later
     * versions.
     */
    public String toJson() {
        Json json = new Json().open('{');
        json.name("runtime").value(runtime);
        json.name("time").value(time.toString());
        json.name("jdk").value(Runtime.version().toString());
        json.name("live").value(live);
        json.name("counts").open('{');
        counts.forEach((doing, count) -> json.name(doing.word()).value(count));
        json.close('}').name("tasks").open('[');
        Map<Integer, Long> ids = new HashMap<>();
        tasks.forEach(task -> ids.put(task.key(), task.id()));
        tasks.forEach(task -> write(json, task, ids.get(task.spawner())));
        json.close(']').name("others").open('[');
        others.forEach((state, count) -> {
            json.open('{').name("count").value(count);
            json.name("state").value(state.doing().word());
            json.name("what").value(state.what()).close('}');
        });
        json.close(']').name("cycles").open('[');
        for (List<Edge> cycle : cycles) {
            json.open('[');
            for (Edge edge : cycle) {
                json.open('{').name("id").value(edge.id);
                json.name("what").value(edge.waitsFor).close('}');
            }
            json.close(']');
        }
        return json.close(']').close('}').toString();
    }

    private static void write(Json json, DumpedTask task, @Nullable Long spawner) {
        json.open('{').name("id").value(task.id());
        json.name("name").value(task.name());
        json.name("kind").value(DumpedTask.isJob(task.id()) ? "job" : "task");
        json.name("state").value(task.doing().word());
        if (task.what() != null) {
            json.name("what").value(task.what());
        }
        if (!task.holders().isEmpty()) {
            json.name("holders").open('[');
            for (Holder holder : task.holders()) {
                json.open('{');
                if (holder.id() != 0) {
                    json.name("id").value(holder.id());
                }
                json.name("name").value(holder.name()).close('}');
            }
            json.close(']');
        }
        if (task.nanosLeft() != Long.MAX_VALUE) {
            json.name("deadlineNanos").value(task.nanosLeft());
        }
        if (task.at() != null) {
            json.name("at").value(task.at().toString());
        }
        if (spawner != null) {
            json.name("spawner").value(spawner);
        }
        if (task.group() != null) {
            json.name("set").value(task.group());
        }
        json.close('}');
    }
}
