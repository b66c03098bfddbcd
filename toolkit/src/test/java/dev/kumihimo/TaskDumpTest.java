package dev.kumihimo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskDump;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.StrictJson;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Timeout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What a dump tells of a runtime that runs. */
@org.junit.jupiter.api.Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
class TaskDumpTest {
    private static final Duration HOUR = Duration.ofHours(1);

    private final TaskRuntime runtime =
            TaskRuntime.builder().workerThreads(2).name("dumped").build();

    @AfterEach
    void end() {
        runtime.shutdown(Duration.ofSeconds(30));
    }

    private JoinHandle<?> named(String name, VoidBody<?> body) {
        return runtime.spawnNamed(name, () -> {
            body.run();
            return null;
        });
    }

    private TaskDump dumpOnceItSays(String text) {
        AtomicReference<TaskDump> dump = new AtomicReference<>();
        await().until(() -> {
            dump.set(runtime.dump());
            return dump.get().toString().contains(text);
        });
        return dump.get();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object json) {
        return (Map<String, Object>) json;
    }

    @SuppressWarnings("unchecked")
    private static List<Object> array(Object json) {
        return (List<Object>) json;
    }

    private static Map<String, Object> taskOf(Map<String, Object> json, String name) {
        return array(json.get("tasks")).stream()
                .map(TaskDumpTest::object)
                .filter(task -> name.equals(task.get("name")))
                .findFirst()
                .orElseThrow();
    }

    /** Two tasks that hold a mutex each, and want the other's. */
    private void crossed(VoidBodyOf<Mutex<String>> lockSecond) {
        Mutex<String> users = Mutex.of("users");
        Mutex<String> orders = Mutex.of("orders");
        CountDownLatch both = new CountDownLatch(2);
        for (List<Mutex<String>> order : List.of(List.of(users, orders), List.of(orders, users))) {
            named("crossed-" + (order.get(0) == users), () -> {
                try (var guard = order.get(0).lock()) {
                    both.countDown();
                    both.await();
                    lockSecond.run(order.get(1));
                }
            });
        }
    }

    private interface VoidBodyOf<T> {
        void run(T argument) throws Exception;
    }

    private TaskDump dumpOfCrossed() {
        dumpOnceItSays("mutex held by task \"crossed-true\" (");
        dumpOnceItSays("mutex held by task \"crossed-false\" (");
        return runtime.dump(); // a dump looks for cycles first, and then what each waits for
    }

    @Test
    void tasksThatWaitForEachOther_areACycle() {
        crossed(Mutex::lock);
        assertThat(dumpOfCrossed().hasCycle()).isTrue();
    }

    @Test
    void waitsWithATimeOfTheirOwn_areNoCycle() {
        crossed(mutex -> mutex.lock(HOUR));
        assertThat(dumpOfCrossed().hasCycle()).isFalse();
    }

    @Test
    void selectsWithATimeOfTheirOwn_areNoCycle() {
        crossed(mutex -> Select.<String>of()
                .on(mutex, guard -> "locked")
                .after(HOUR, () -> "late")
                .await());
        assertThat(dumpOfCrossed().hasCycle()).isFalse();
    }

    @Test
    void dump_ofNothing_hasOneLine() {
        assertThat(runtime.dump().toString()).matches("runtime dumped at \\S+Z, JDK \\S+: 0 live tasks");
        assertThat(runtime.dump().liveTasks()).isZero();
        assertThat(runtime.dump().hasCycle()).isFalse();
    }

    @Test
    void dump_showsWhoSpawnedWhom_whoWaitsForWhom_andWhere() throws Exception {
        Mutex<String> lock = Mutex.of("");
        named("main", () -> {
            try (JoinSet<String> set = JoinSet.open();
                    var guard = lock.lock()) {
                set.spawnNamed("load", () -> lock.lock().get());
                named("sleeper", () -> Timeout.call(HOUR, () -> Task.sleep(HOUR)));
                set.joinNext();
            }
        });
        dumpOnceItSays("3 waiting");
        String text = runtime.dump().toString();
        List<String> lines = text.lines().toList();
        assertThat(lines).hasSize(7);
        assertThat(lines.get(1)).isEqualTo("3 waiting");
        assertThat(lines.get(2))
                .matches(
                        "#\\d+ task \"main\" +waiting for JoinSet with 1 running \\(#\\d+\\) +at TaskDumpTest.java:\\d+");
        assertThat(lines.get(3))
                .matches("  #\\d+ task \"sleeper\" +waiting for its deadline +deadline in 3\\d{3}\\.\\d{3} s +"
                        + "at TaskDumpTest.java:\\d+");
        assertThat(lines.get(4)).isEqualTo("  JoinSet[task \"main\" in runtime dumped]");
        assertThat(lines.get(5))
                .matches("  #\\d+ task \"load\" +waiting for mutex held by task \"main\" \\(#\\d+\\) +"
                        + "at TaskDumpTest.java:\\d+");
        assertThat(lines.get(6))
                .matches("cycle, which may be passing: task \"(main|load)\" -> .* -> task \"\\w+\" -> .* -> task .*");
    }

    @Test
    void dump_asJson_tellsTheSame() throws Exception {
        Mutex<String> lock = Mutex.of("");
        named("main", () -> {
            try (JoinSet<String> set = JoinSet.open();
                    var guard = lock.lock()) {
                set.spawnNamed("load", () -> lock.lock().get());
                named("sleeper", () -> Timeout.call(HOUR, () -> Task.sleep(HOUR)));
                set.joinNext();
            }
        });
        dumpOnceItSays("3 waiting");
        TaskDump dump = runtime.dump();
        Map<String, Object> json = object(StrictJson.parse(dump.toJson()));
        assertThat(json).containsEntry("runtime", "dumped").containsEntry("live", 3L);
        assertThat(json.get("time")).isEqualTo(dump.time().toString());
        assertThat(object(json.get("counts"))).containsEntry("waiting", 3L);
        Map<String, Object> main = taskOf(json, "main");
        Map<String, Object> load = taskOf(json, "load");
        assertThat(main).containsEntry("kind", "task").doesNotContainKey("spawner");
        assertThat(load)
                .containsEntry("spawner", main.get("id"))
                .containsEntry("state", "waiting")
                .containsEntry("what", "mutex held by task \"main\"")
                .containsEntry("set", "JoinSet[task \"main\" in runtime dumped]")
                .containsEntry("holders", List.of(Map.of("id", main.get("id"), "name", "main")));
        assertThat((String) load.get("at")).contains("TaskDumpTest.java");
        assertThat((Long) taskOf(json, "sleeper").get("deadlineNanos")).isBetween(1L, HOUR.toNanos());
        assertThat(dump.hasCycle()).isTrue();
        assertThat(array(array(json.get("cycles")).get(0)))
                .extracting(edge -> object(edge).get("id"))
                .containsExactlyInAnyOrder(main.get("id"), load.get("id"));
    }

    @Test
    void json_escapesWhatANameMayHave() throws Exception {
        String name = "a \"quote\" \\ \n\r\t\b\u0000\u001f\u007f é 漢 \uD83E\uDDF6 " + '\uD83E' + " " + '\uDDF6' + "/";
        Semaphore never = Semaphore.of(0);
        named(name, never::acquire);
        String json = dumpOnceItSays("waiting for semaphore").toJson();
        assertThat(taskOf(object(StrictJson.parse(json)), name)).containsEntry("state", "waiting");
        byte[] written = json.getBytes(StandardCharsets.UTF_8);
        assertThat(new String(written, StandardCharsets.UTF_8)).isEqualTo(json);
        assertThat(json).doesNotContain("\n");
    }

    @Test
    void dump_tellsJobs_andTasksOutsideTheToolkit() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        runtime.spawnBlocking(() -> end.await());
        named("outside", end::await);
        named("joiner", () -> runtime.spawnBlocking(() -> end.await()).join());
        try {
            dumpOnceItSays("waiting for end of blocking job");
            await().until(() -> runtime.dump().toString().contains("2 blocking"));
            String text = dumpOnceItSays("outside, WAITING at java.util.concurrent.CountDownLatch$Sync")
                    .toString();
            assertThat(text)
                    .containsPattern("#job-\\d+ blocking job \"job-\\d+\" +blocking, WAITING at java.util")
                    .containsPattern("  #job-\\d+ blocking job "); // below who spawned it
        } finally {
            end.countDown();
        }
    }

    @Test
    void dump_ofAParentThatHasEnded_hasItsChildrenAtTheTop() throws Exception {
        Semaphore never = Semaphore.of(0);
        named("parent", () -> named("child", never::acquire)).join();
        assertThat(dumpOnceItSays("waiting for semaphore")
                        .toString()
                        .lines()
                        .toList()
                        .get(2))
                .startsWith("#");
    }

    @Test
    void dump_countsTheTasksThatItDoesNotTell() throws Exception {
        Semaphore never = Semaphore.of(0);
        for (int i = 0; i < 20; i++) {
            runtime.spawn(() -> never.acquire());
        }
        dumpOnceItSays("20 waiting");
        TaskDump dump = runtime.dump(3);
        assertThat(dump.toString()).contains("and 17 more:").contains("  17 waiting for semaphore with 0 free");
        Map<String, Object> json = object(StrictJson.parse(dump.toJson()));
        assertThat(array(json.get("tasks"))).hasSize(3);
        assertThat(array(json.get("others")))
                .containsExactly(Map.of("count", 17L, "state", "waiting", "what", "semaphore with 0 free"));
        assertThatThrownBy(() -> runtime.dump(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("tasks=-1 must be 0 or more");
        assertThat(runtime.dump(0).toString()).contains("and 20 more:");
    }

    @Test
    void dump_tellsACycleAlsoOfTasksBeyondItsNumber() throws Exception {
        Semaphore never = Semaphore.of(0);
        for (int i = 0; i < 20; i++) {
            runtime.spawn(() -> never.acquire());
        }
        Mutex<String> one = Mutex.of("");
        Mutex<String> two = Mutex.of("");
        CountDownLatch both = new CountDownLatch(2);
        named("left", () -> {
            try (var first = one.lock()) {
                both.countDown();
                both.await();
                two.lock().close();
            }
        });
        named("right", () -> {
            try (var first = two.lock()) {
                both.countDown();
                both.await();
                one.lock().close();
            }
        });
        dumpOnceItSays("cycle");
        assertThat(runtime.dump(2).toString())
                .containsPattern("#\\d+ task \"left\" ")
                .containsPattern("#\\d+ task \"right\" ")
                .contains("and 20 more");
    }

    @Test
    void dumpAll_hasEachRuntimeThatHasNotEnded() throws Exception {
        try (TaskRuntime other =
                TaskRuntime.builder().workerThreads(1).name("another").build()) {
            assertThat(TaskRuntime.dumpAll()).extracting(TaskDump::runtime).contains("another", "dumped");
        }
        assertThat(TaskRuntime.dumpAll())
                .extracting(TaskDump::runtime)
                .contains("dumped")
                .doesNotContain("another");
    }

    @Test
    void dump_underLoad_isWellFormed_andDisturbsNobody() throws Exception {
        Channel<Integer> channel = Channel.bounded(4);
        Mutex<Integer> count = Mutex.of(0);
        AtomicBoolean stop = new AtomicBoolean();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            tasks.add(runtime.spawn(() -> {
                for (int sent = 0; !stop.get(); sent++) {
                    channel.send(sent);
                    try (JoinSet<Integer> set = JoinSet.open()) {
                        for (int k = 0; k < 3; k++) {
                            set.spawn(() -> {
                                try (var guard = count.lock()) {
                                    guard.set(guard.get() + 1);
                                    return guard.get();
                                }
                            });
                        }
                        set.joinAll();
                    }
                }
            }));
            tasks.add(runtime.spawn(() -> {
                while (!stop.get()) {
                    channel.receive();
                }
            }));
        }
        JoinHandle<?> within = runtime.spawn(
                () -> { // also by a task of its own
                    for (int i = 0; i < 200; i++) {
                        StrictJson.parse(runtime.dump().toJson());
                        Task.yieldNow();
                    }
                });
        for (int i = 0; i < 200; i++) {
            TaskDump dump = runtime.dump();
            StrictJson.parse(dump.toJson());
            assertThat(dump.toString().lines().count()).isGreaterThanOrEqualTo(dump.liveTasks());
        }
        within.join();
        stop.set(true);
        channel.close();
        for (JoinHandle<?> task : tasks) {
            task.result(); // none is lost: each ends, some by the close
        }
        Observe.until("all have ended", () -> runtime.liveTasks() == 0);
    }

    @Test
    void dump_ofAHundredThousandParkedTasks_tellsAThousand() throws Exception {
        int parked = 100_000;
        Semaphore gate = Semaphore.of(0);
        CountDownLatch begun = new CountDownLatch(parked);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < parked; i++) {
            tasks.add(runtime.spawn(() -> {
                begun.countDown();
                gate.acquire();
            }));
        }
        begun.await();
        dumpOnceItSays(parked + " waiting");
        TaskDump dump = runtime.dump();
        assertThat(dump.liveTasks()).isEqualTo(parked);
        assertThat(dump.toString()).contains("and 99000 more:").contains("99000 waiting for semaphore with 0 free");
        assertThat(array(object(StrictJson.parse(dump.toJson())).get("tasks"))).hasSize(1_000);
        gate.release(parked);
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
    }
}
