package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.Notify;
import dev.kumihimo.sync.OnceCell;
import dev.kumihimo.sync.RwLock;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What can never go on is found, when it is, and told; what can is not. */
@org.junit.jupiter.api.Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class DeadlockTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** Runs a body beside a task that never stops to sleep, so that idleness alone would find nothing; the error it ends with. */
    private static String cycleBesideATimer(VoidBody<?> body) {
        try (TestRuntime test = TestRuntime.fifo()) {
            ScheduleError error = catchThrowableOfType(
                    ScheduleError.class,
                    () -> test.run(() -> {
                        Task.spawn(() -> {
                            for (int i = 0; i < 1_000; i++) {
                                Task.sleep(SECOND);
                            }
                        });
                        body.run();
                    }));
            assertThat(error).isNotNull();
            assertThat(test.nanoTime()).isLessThan(SECOND.toNanos() * 2);
            return error.getMessage();
        }
    }

    private static JoinHandle<?> named(String name, VoidBody<?> body) {
        return TaskRuntime.current().spawnNamed(name, () -> {
            body.run();
            return null;
        });
    }

    @Test
    void aSelect_thatSendsAndReceivesAtOneRendezvous_isNoLostWakeup() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            String got = test.run(() -> {
                Channel<String> channel = Channel.rendezvous();
                return Select.<String>of()
                        .on(channel, item -> item)
                        .on(channel.sending("mine"), () -> "sent")
                        .after(SECOND, () -> "nobody") // it is not to meet itself
                        .await();
            });
            assertThat(got).isEqualTo("nobody");
        }
    }

    /* ---------------- Cycles, found while a timer runs on -------------- */

    @Test
    void twoMutexes_inOppositeOrders_areACycle() {
        String told = cycleBesideATimer(() -> {
            Mutex<String> users = Mutex.of("users");
            Mutex<String> orders = Mutex.of("orders");
            JoinHandle<?> writer = named("writer", () -> {
                try (var first = users.lock()) {
                    Task.yieldNow();
                    try (var second = orders.lock()) {
                        second.set(first.get());
                    }
                }
            });
            named("flush", () -> {
                try (var first = orders.lock()) {
                    Task.yieldNow();
                    try (var second = users.lock()) {
                        second.set(first.get());
                    }
                }
            });
            writer.join();
        });
        assertThat(told)
                .startsWith("deadlock: task \"flush\" and task \"writer\" wait for each other")
                .contains("cycle: #2 -> mutex held by task \"flush\" -> #3 -> mutex held by task \"writer\" -> #2")
                .contains("mutex held by task \"flush\" (#3)");
    }

    @Test
    void threeMutexes_areACycle() {
        String told = cycleBesideATimer(() -> {
            List<Mutex<String>> forks = List.of(Mutex.of("0"), Mutex.of("1"), Mutex.of("2"));
            List<JoinHandle<?>> philosophers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int seat = i;
                philosophers.add(named("seat-" + i, () -> {
                    try (var left = forks.get(seat).lock()) {
                        Task.yieldNow();
                        try (var right = forks.get((seat + 1) % 3).lock()) {
                            right.set(left.get());
                        }
                    }
                }));
            }
            for (JoinHandle<?> philosopher : philosophers) {
                philosopher.join();
            }
        });
        assertThat(told).contains("cycle: #2 -> mutex").contains(" -> #3 -> ").contains(" -> #4 -> ");
    }

    @Test
    void joiningEachOther_isACycle() {
        String told = cycleBesideATimer(() -> {
            AtomicReference<JoinHandle<?>> second = new AtomicReference<>();
            JoinHandle<?> first = named("first", () -> {
                Task.yieldNow();
                second.get().join();
            });
            second.set(named("second", first::join));
            Task.sleep(SECOND);
        });
        assertThat(told).contains("end of task \"second\" (#3)").contains("-> end of task \"first\" -> #2");
    }

    @Test
    void joiningASet_whoseTaskWantsOnesOwnLock_isACycle() {
        String told = cycleBesideATimer(() -> {
            Mutex<String> lock = Mutex.of("");
            try (JoinSet<String> set = JoinSet.open();
                    var guard = lock.lock()) {
                set.spawn(() -> {
                    try (var inner = lock.lock()) {
                        return inner.get() + guard;
                    }
                });
                set.joinNext();
            }
        });
        assertThat(told).contains("JoinSet with 1 running (#2)").contains("in JoinSet of #0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void joiningASet_isNoCycle_whileOneOfItsTasksGoesOn(boolean sleeperFirst) {
        try (TestRuntime test = TestRuntime.fifo()) {
            Throwable error = catchThrowable(() -> test.run(() -> {
                Mutex<String> lock = Mutex.of("");
                try (JoinSet<String> set = JoinSet.open();
                        var guard = lock.lock()) {
                    Body<String, InterruptedException> sleeper = () -> {
                        Task.sleep(SECOND);
                        return "awake";
                    };
                    Body<String, InterruptedException> locker = () -> {
                        try (var inner = lock.lock()) {
                            return inner.get() + guard;
                        }
                    };
                    set.spawn(sleeperFirst ? sleeper : locker);
                    set.spawn(sleeperFirst ? locker : sleeper);
                    set.joinNext(); // the sleeper
                    set.joinNext();
                }
            }));
            assertThat(error).isInstanceOf(ScheduleError.class).hasMessageContaining("wait for each other");
            assertThat(test.nanoTime()).isEqualTo(SECOND.toNanos());
        }
    }

    @Test
    void writing_whileTwoRead_isACycle() {
        assertThat(Points.ON).as("else nobody knows the readers").isTrue();
        String told = cycleBesideATimer(() -> {
            RwLock<String> lock = RwLock.of("");
            for (String name : List.of("one", "two")) {
                named(name, () -> {
                    try (var reading = lock.read()) {
                        Task.yieldNow();
                        try (var writing = lock.write()) {
                            writing.set(reading.get());
                        }
                    }
                });
            }
            Task.sleep(SECOND.multipliedBy(100));
        });
        assertThat(told).contains("read-write lock read by 2 (#2, #3)");
    }

    @Test
    void writing_whileOneReadsOneself_isACycleOfOne() {
        assertThat(Points.ON).as("else nobody knows the readers").isTrue();
        String told = cycleBesideATimer(() -> {
            RwLock<String> lock = RwLock.of("");
            try (var reading = lock.read()) {
                lock.write().close();
            }
        });
        assertThat(told).startsWith("deadlock: task \"main\" waits for itself");
    }

    @Test
    void selecting_amongLocks_isACycleIfAllAreHeldByThoseWhoWait() {
        String told = cycleBesideATimer(() -> selectAmongLocks(null));
        assertThat(told)
                .contains("the first of mutex held by task \"one\", mutex held by task \"two\" (#2, #3)")
                .contains("cycle: ");
    }

    @Test
    void selecting_amongLocks_isNoCycleIfSomethingElseMayCome() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            Channel<String> other = Channel.bounded(1);
            test.run(() -> {
                Task.spawn(() -> {
                    Task.sleep(SECOND);
                    other.send("come");
                });
                selectAmongLocks(other);
            });
        }
    }

    private static void selectAmongLocks(@Nullable Channel<String> other) throws Exception {
        Mutex<String> mine = Mutex.of("");
        Mutex<String> ofOne = Mutex.of("");
        Mutex<String> ofTwo = Mutex.of("");
        try (var guard = mine.lock()) {
            named("one", () -> {
                try (var held = ofOne.lock()) {
                    mine.lock().close();
                }
            });
            named("two", () -> {
                try (var held = ofTwo.lock()) {
                    mine.lock().close();
                }
            });
            Task.yieldNow();
            Select<String> select =
                    Select.<String>of().on(ofOne, taken -> "one").on(ofTwo, taken -> "two");
            (other == null ? select : select.onReceive(other, item -> item)).await();
        }
    }

    @Test
    void makingAValue_thatWaitsForOneWhoWaitsForIt_isACycle() {
        String told = cycleBesideATimer(() -> {
            OnceCell<String> cell = new OnceCell<>();
            cell.getOrInit(() -> {
                JoinHandle<?> other = named("other", () -> cell.getOrInit(() -> "other"));
                other.join();
                return "main";
            });
        });
        assertThat(told).contains("once-cell being initialized (#0)");
    }

    @Test
    void cycle_isLeftAlone_ifAskedFor() throws Exception {
        try (TestRuntime test = TestRuntime.builder().failOnCycles(false).build()) {
            test.run(() -> {
                AtomicReference<JoinHandle<?>> second = new AtomicReference<>();
                JoinHandle<?> first = Task.spawn(() -> {
                    Task.yieldNow();
                    second.get().result();
                });
                second.set(Task.spawn(() -> {
                    first.result();
                }));
                Task.sleep(SECOND);
                first.abort();
                second.get().result();
            });
        }
    }

    /* ---------------- Nothing can run -------------- */

    @Test
    void rendezvous_nobodyComesTo_isTold() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Throwable error = catchThrowable(() -> test.run(() -> {
                Channel<String> first = Channel.rendezvous();
                Channel<String> second = Channel.rendezvous();
                Task.spawn(() -> {
                    first.send("to main");
                    second.receive();
                });
                second.send("to the other");
                first.receive();
            }));
            assertThat(error)
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("deadlock: main has not ended")
                    .hasMessageContaining("rendezvous channel @1")
                    .hasMessageContaining("rendezvous channel @2");
            assertThat(test.nanoTime()).isZero();
        }
    }

    /** Forgets every second wakeup. */
    private static final class ForgetfulGate extends WaitPoint {
        private final WaitQueue waiters = new WaitQueue();
        private int letters;

        void pass() throws InterruptedException {
            Wait wait = Wait.at(this);
            lock();
            boolean there = letters > 0;
            if (there) {
                letters--;
            } else {
                waiters.add(wait);
            }
            unlock();
            if (!there) {
                wait.await();
            }
        }

        void deliver(boolean forget) {
            lock();
            WaitNode waiting = forget ? null : waiters.poll();
            boolean granted = waiting != null && waiting.grant();
            if (!granted) {
                letters++;
            }
            unlock();
            if (granted) {
                waiting.owner().wake();
            }
        }

        @Override
        public @Nullable String lostWakeup() {
            WaitNode head = undecided(waiters);
            return head != null && letters > 0 ? lost(letters + " letters are there", head) : null;
        }

        @Override
        public String toString() {
            return "letter box";
        }
    }

    @Test
    void lostWakeup_isFoundAtTheNextIdleness_alsoWhileATimerRunsOn() {
        String told = cycleBesideATimer(() -> {
            ForgetfulGate gate = new ForgetfulGate();
            named("reader", () -> {
                gate.pass();
                gate.pass();
            });
            Task.yieldNow();
            gate.deliver(false);
            Task.yieldNow();
            gate.deliver(true);
            Task.sleep(SECOND.multipliedBy(100));
        });
        assertThat(told).startsWith("lost wakeup: letter box: 1 letters are there, and task \"reader\" waits");
    }

    /** As a token or the end of a task: it shows what it has before it wakes who waits for that. */
    private static final class TwoSteps extends WaitPoint {
        private final WaitQueue waiters = new WaitQueue();
        private final CountDownLatch asked = new CountDownLatch(1);
        private volatile boolean shown;

        void pass() throws InterruptedException {
            Wait wait = Wait.at(this);
            lock();
            waiters.add(wait);
            unlock();
            wait.await();
        }

        void deliver() {
            shown = true;
            await(asked);
            lock();
            WaitNode waiting = waiters.poll();
            boolean granted = waiting != null && waiting.grant();
            unlock();
            if (granted) {
                waiting.owner().wake();
            }
        }

        @Override
        public @Nullable String lostWakeup() {
            WaitNode head = undecided(waiters);
            if (head == null || !shown) {
                return null;
            }
            asked.countDown();
            return lost("it is there", head);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void wakeupFromOutside_thatIsUnderWay_isNotLost_andTakesNoVirtualTime() throws Exception {
        CountDownLatch woken = new CountDownLatch(1);
        try (TestRuntime test = TestRuntime.fifo()) {
            Notify first = new Notify();
            TwoSteps second = new TwoSteps();
            CountDownLatch ended = new CountDownLatch(1);
            Thread outsider = Thread.ofPlatform().daemon().start(() -> {
                while (woken.getCount() > 0) {
                    first.notifyWaiters(); // which does nothing before somebody waits
                }
                second.deliver();
            });
            test.run(() -> {
                JoinHandle<?> job = TaskRuntime.current().spawnBlocking(() -> {
                    await(ended);
                    return null;
                });
                while (test.outsideWakes() == 0) { // it may come before this has parked, and is nobody's wakeup then
                    first.notified();
                }
                woken.countDown();
                while (!second.shown) {
                    Task.yieldNow();
                }
                Task.spawn(() -> Task.sleep(SECOND.multipliedBy(100)));
                ended.countDown();
                job.join();
                second.pass();
                assertThat(test.nanoTime()).isZero();
            });
            outsider.join();
        } finally {
            woken.countDown();
        }
    }

    @Test
    void lostWakeup_isFound_amongManySleepers() {
        String told = cycleBesideATimer(() -> {
            ForgetfulGate gate = new ForgetfulGate();
            for (int i = 0; i < 200; i++) {
                Task.spawn(() -> Task.sleep(SECOND.multipliedBy(50)));
            }
            named("reader", gate::pass);
            Task.yieldNow();
            gate.deliver(true);
            Task.sleep(SECOND.multipliedBy(100));
        });
        assertThat(told).startsWith("lost wakeup: letter box");
    }

    /* ---------------- No false alarm -------------- */

    @Test
    void lockHeldByASleeper_isNoCycle() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Mutex<Integer> lock = Mutex.of(0);
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    tasks.add(Task.spawn(() -> {
                        try (var guard = lock.lock()) {
                            Task.sleep(SECOND);
                            guard.set(guard.get() + 1);
                        }
                    }));
                }
                for (JoinHandle<?> task : tasks) {
                    task.join();
                }
                assertThat(lock.lock().get()).isEqualTo(10);
            });
            assertThat(test.nanoTime()).isEqualTo(10 * SECOND.toNanos());
        }
    }

    @Test
    void cycle_withADeadlineInIt_isNone() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                for (boolean region : new boolean[] {true, false}) {
                    Mutex<String> one = Mutex.of("");
                    Mutex<String> two = Mutex.of("");
                    JoinHandle<?> patient = Task.spawn(() -> {
                        try (var first = one.lock()) {
                            Task.yieldNow();
                            two.lock().close();
                        }
                    });
                    JoinHandle<?> hasty = Task.spawn(() -> {
                        try (var first = two.lock()) {
                            Task.yieldNow();
                            if (region) {
                                Timeout.call(SECOND, () -> one.lock());
                            } else {
                                one.lock(SECOND);
                            }
                        }
                    });
                    assertThat(catchThrowable(hasty::join)).hasCauseInstanceOf(TimeoutException.class);
                    patient.join();
                }
            });
        }
    }

    @Test
    void readerBehindAWriterThatGivesUp_isInNoCycle() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                RwLock<String> lock = RwLock.of("");
                try (var reading = lock.read()) {
                    JoinHandle<?> writer = Task.spawn(() -> lock.write(SECOND));
                    Task.yieldNow();
                    JoinHandle<?> reader = Task.spawn(() -> lock.read().close());
                    reader.join(); // it reads once the writer has given up
                    assertThat(catchThrowable(writer::join)).hasRootCauseInstanceOf(TimeoutException.class);
                }
            });
        }
    }

    @Test
    void primitivesUnderRandomSchedules_loseNoWakeup() {
        Explore.seeds(300).run(() -> {
            Channel<Integer> channel = Channel.bounded(1);
            Semaphore semaphore = Semaphore.of(2);
            Notify notify = new Notify();
            RwLock<Integer> lock = RwLock.of(0);
            try (JoinSet<Integer> set = JoinSet.open()) {
                for (int i = 0; i < 3; i++) {
                    int number = i;
                    set.spawn(() -> {
                        try (var permits = semaphore.acquire(1 + number % 2)) {
                            channel.send(number);
                            try (var guard = lock.write()) {
                                guard.set(guard.get() + 1);
                            }
                        }
                        notify.notifyOne();
                        try (var guard = lock.read()) {
                            return guard.get();
                        }
                    });
                }
                for (int i = 0; i < 3; i++) {
                    channel.receive();
                }
                notify.notified();
                for (int i = 0; i < 3; i++) {
                    set.joinNext();
                }
            }
        });
    }

    /* ---------------- What is told -------------- */

    @Test
    void report_hasALineForEachTask() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Throwable error = catchThrowable(() -> test.run(() -> {
                Mutex<String> users = Mutex.of("users");
                Channel<String> queue = Channel.bounded(1);
                JoinSet<String> load = JoinSet.open();
                load.spawnNamed("writer", () -> {
                    try (var guard = users.lock()) {
                        queue.send("first");
                        Task.sleep(Duration.ofMillis(1_250));
                        queue.send(guard.get());
                        return "written";
                    }
                });
                load.spawnNamed("flush", () -> {
                    Task.sleep(SECOND);
                    try (var guard = users.lock()) {
                        return guard.get() + queue.receive();
                    }
                });
                named("probe", () -> Task.sleep(SECOND));
                load.joinNext();
            }));
            String[] lines = error.getMessage()
                    .replaceAll("DeadlockTest\\.java:\\d+", "DeadlockTest.java:88")
                    .split("\\R");
            assertThat(lines[0]).isEqualTo("deadlock: main has not ended, nothing is ready and no deadline is left");
            assertThat(lines[1])
                    .startsWith("  at 00:00:01.250, tick 1250 of 1 ms, 0 timers armed; order: TestRuntime.fifo(); JDK "
                            + Runtime.version());
            assertThat(List.of(lines).subList(2, lines.length))
                    .containsExactly(
                            "  #0 task \"main\"    waits for JoinSet with 2 running (#1, #2)   since 00:00:00.000  at DeadlockTest.java:88",
                            "  #1 task \"writer\"  waits for channel 1/1                       since 00:00:01.250  at DeadlockTest.java:88  in JoinSet of #0",
                            "  #2 task \"flush\"   waits for mutex held by task \"writer\" (#1)  since 00:00:01.000  at DeadlockTest.java:88  in JoinSet of #0");
        }
    }

    @Test
    void report_tellsOfThreadsThatAreNoTasks() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Throwable error = catchThrowable(() -> test.run(() -> {
                Object monitor = new Object();
                ReentrantLock lock = new ReentrantLock();
                Mutex<String> mutex = Mutex.of("");
                mutex.lock();
                lock.lock();
                synchronized (monitor) {
                    Thread.ofVirtual().name("locker").start(lock::lock);
                    Thread.ofVirtual().name("enterer").start(() -> {
                        synchronized (monitor) {
                            lock.lock();
                        }
                    });
                    Thread.ofVirtual().name("taker").start(() -> {
                        try {
                            mutex.lock();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    });
                    Task.yieldNow();
                    Task.yieldNow();
                    LockSupport.park(this);
                }
            }));
            if (Runtime.version().feature() < 24) { // a monitor holds the carrier
                assertThat(error).hasMessageContaining("carrier pinned: #0 \"main\" waits (WAITING)");
                return;
            }
            assertThat(error)
                    .message()
                    .startsWith("probable deadlock: main has not ended, nothing is ready and no deadline is left,"
                            + " and nothing has come from outside for a second");
            assertThat(error)
                    .hasMessageContaining("#1 thread \"locker\"")
                    .hasMessageContaining("ReentrantLock")
                    .hasMessageContaining("#2 thread \"enterer\"")
                    .hasMessageContaining("waits outside the toolkit, BLOCKED");
            if (Points.ON) {
                assertThat(error).hasMessageContaining("waits for mutex held by task \"main\" (#0)");
            }
        }
    }

    /** The JDK does not tell who has a monitor: that its owner waits, too, is known only from its not being given back. */
    @Test
    void aMonitorThatIsNotGivenBack_isAProbableDeadlock() {
        TestRuntime test = TestRuntime.fifo();
        Object monitor = new Object();
        Channel<String> silent = Channel.bounded(1);
        Throwable error = catchThrowable(() -> test.run(() -> {
            named("owner", () -> {
                synchronized (monitor) {
                    silent.receive();
                }
            });
            named("enterer", () -> {
                        synchronized (monitor) {
                            silent.close();
                        }
                    })
                    .join();
        }));
        if (Runtime.version().feature() < 24) { // who has a monitor does not leave its carrier
            assertThat(error).message().startsWith("carrier pinned: #1 \"owner\"");
        } else {
            assertThat(error)
                    .message()
                    .startsWith("probable deadlock: main has not ended")
                    .containsPattern("task \"owner\" +waits for channel 0/1")
                    .containsPattern("task \"enterer\" +waits outside the toolkit, BLOCKED");
            assertThat(test.nanoTime()).isZero();
        }
        test.close();
    }

    @Test
    void dump_isHad_whileSomebodyDrives() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            CountDownLatch there = new CountDownLatch(1);
            CountDownLatch asked = new CountDownLatch(1);
            AtomicReference<String> dump = new AtomicReference<>();
            Thread guard = Thread.ofPlatform().start(() -> {
                try {
                    there.await();
                    dump.set(test.dump());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                asked.countDown();
            });
            test.run(() -> {
                named("waiter", () -> Task.sleep(SECOND));
                Task.yieldNow();
                there.countDown();
                while (asked.getCount() > 0) {
                    Thread.onSpinWait(); // holds the carrier
                }
            });
            guard.join();
            assertThat(dump.get())
                    .startsWith("a task holds the carrier")
                    .contains("order: TestRuntime.fifo()")
                    .containsPattern("task \"main\" +running")
                    .contains("task \"waiter\"")
                    .contains("waiting for its deadline");
            assertThat(test.dump()).startsWith("at 00:00:00.000");
        }
    }
}
