package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Semaphore;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What {@link AsyncTestTest} has JUnit run, in its own JVM and in others; nothing here is a test by itself. */
final class AsyncSamples {
    private AsyncSamples() {}

    /** A sum that is read and written under a lock, which does not cover what lies between. */
    static final class Account {
        private final Semaphore lock = Semaphore.of(1);
        private int balance;

        int read() throws InterruptedException {
            try (var permit = lock.acquire()) {
                return balance;
            }
        }

        void write(int value) throws InterruptedException {
            try (var permit = lock.acquire()) {
                balance = value;
            }
        }

        void add(int amount) throws InterruptedException {
            write(read() + amount);
        }
    }

    /** All of these pass. */
    static class Passing {
        static final List<Object> INSTANCES = new CopyOnWriteArrayList<>();
        static final List<Long> DATA = new CopyOnWriteArrayList<>();
        static final List<String> ORDER = new CopyOnWriteArrayList<>();

        private final long begin = System.nanoTime(); // before its runtime is made
        private int calls;

        @BeforeEach
        void before() {
            ORDER.add("before on " + (Thread.currentThread().isVirtual() ? "a task" : "JUnit's thread"));
        }

        @AfterEach
        void after() {
            ORDER.add("after");
        }

        @AsyncTest
        void bodyIsATask() {
            assertThat(Task.current().name()).isEqualTo("main");
            assertThat(Thread.currentThread().isVirtual()).isTrue();
            ORDER.add("body");
        }

        @AsyncTest
        void anHourPassesAtOnce(TestClock clock) throws Exception {
            Task.sleep(Duration.ofHours(1));
            assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
        }

        @AsyncTest(startPaused = false)
        void theClockFollowsRealTime(TestClock clock) throws Exception {
            Task.sleep(Duration.ofMillis(50));
            assertThat(clock.elapsed()).isGreaterThanOrEqualTo(Duration.ofMillis(50));
            assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(50_000_000);
        }

        @AsyncTest
        void parametersAreOfTheRuntimeThatRunsIt(
                TestInfo info, TestRuntime test, TestClock clock, Rng rng, TestScope scope, BackgroundScope background)
                throws Exception {
            assertThat(info.getDisplayName()).startsWith("parameters");
            assertThat(Task.current().runtime()).isSameAs(test.runtime());
            assertThat(test.clock()).isSameAs(clock);
            DATA.add(rng.nextLong());
            assertThat(test.dump()).contains("main");
            Channel<Integer> channel = Channel.rendezvous();
            scope.spawnNamed("sender", () -> channel.send(42));
            background.spawn(() -> {
                while (true) {
                    Task.sleep(Duration.ofSeconds(1));
                }
            });
            assertThat(channel.receive()).isEqualTo(42);
        }

        @AsyncTest(schedules = 20, strategy = ScheduleStrategy.RANDOM)
        void whatTheBackgroundHasSpawned_andHowItEnds_isNoFailure(BackgroundScope background, TestClock clock)
                throws Exception {
            background.spawn(() -> {
                Task.spawn(() -> Task.sleep(Duration.ofDays(1)));
                try {
                    Task.sleep(Duration.ofDays(1));
                } catch (InterruptedException e) {
                    Task.shield(() -> Task.sleep(Duration.ofSeconds(4)));
                    throw new IOException("aborted");
                }
            });
            Task.sleep(Duration.ofSeconds(1));
        }

        @AsyncTest(schedules = 20, strategy = ScheduleStrategy.RANDOM)
        void eachScheduleHasAnInstanceOfItsOwn(Rng rng, TestInfo info) {
            assertThat(++calls).isEqualTo(1);
            assertThat(info).isNotNull();
            INSTANCES.add(this);
            DATA.add(rng.nextLong());
        }

        @AsyncTest
        void aFailureThatIsJoinedIsSeen(TestScope scope) {
            JoinHandle<?> task = scope.spawn(() -> {
                throw new IOException("seen");
            });
            assertThatThrownBy(task::join).hasRootCauseMessage("seen");
        }

        @AsyncTest
        void theTestWaitsForItsTasks(TestScope scope, TestClock clock) {
            scope.spawn(() -> {
                Task.sleep(Duration.ofMinutes(1));
                scope.spawn(() -> {
                    Task.sleep(Duration.ofMinutes(1));
                    ORDER.add("waited until " + clock);
                });
            });
        }

        @AsyncTest(strategy = ScheduleStrategy.PREEMPTIONS, preemptions = 1)
        void allWithinABound(TestScope scope) {
            Semaphore semaphore = Semaphore.of(1);
            scope.spawn(() -> semaphore.acquire().close());
            scope.spawn(() -> semaphore.acquire().close());
        }

        @AsyncTest(budget = "50ms", strategy = ScheduleStrategy.RANDOM)
        void asManyAsTimeAllows() {
            Task.yieldNow();
        }
    }

    /** Instances of nested classes, and such as live as long as their class. */
    static class Outer {
        static final List<Object> OUTER = new CopyOnWriteArrayList<>();

        @Nested
        class Inner {
            private int calls;

            @AsyncTest(schedules = 5)
            void hasANewOuterInstance() {
                assertThat(++calls).isEqualTo(1);
                OUTER.add(Outer.this);
            }
        }

        @Nested
        @TestInstance(TestInstance.Lifecycle.PER_CLASS)
        class PerClass {
            private int calls;

            @AsyncTest(schedules = 5)
            void isOneForAll() {
                calls++;
                OUTER.add(calls);
            }
        }
    }

    /** A test that a superclass has, and one that an interface has. */
    interface Contract {
        @AsyncTest(schedules = 3)
        default void ofAnInterface(TestScope scope) {
            scope.spawn(() -> Task.yieldNow());
        }
    }

    abstract static class Base {
        @AsyncTest
        void inherited(TestClock clock) {
            assertThat(clock.nanoTime()).isZero();
        }
    }

    static class Inheriting extends Base implements Contract {}

    /** Each of these fails. */
    static class Failing {
        @AsyncTest
        void withItsOwnException() throws IOException {
            throw new IOException("own");
        }

        @AsyncTest
        void inADeadlock() throws Exception {
            Semaphore.of(0).acquire();
        }

        @AsyncTest(timeout = "300ms")
        void outOfTime() throws Exception {
            while (true) {
                Task.sleep(Duration.ofMillis(1));
            }
        }

        @AsyncTest(schedules = 500, strategy = ScheduleStrategy.RANDOM)
        void inSomeSchedule(TestScope scope) throws Exception {
            Account account = new Account();
            JoinHandle<?> other = scope.spawn(() -> account.add(1));
            account.add(1);
            other.join();
            assertThat(account.read()).isEqualTo(2);
        }

        @AsyncTest(schedules = 500, strategy = ScheduleStrategy.PCT)
        void inSomeScheduleByPriorities(TestScope scope) throws Exception {
            inSomeSchedule(scope);
        }

        @AsyncTest
        void becauseATaskFailed(TestScope scope) {
            scope.spawn(() -> {
                throw new IOException("first");
            });
            scope.spawn(() -> {
                Task.sleep(Duration.ofDays(1)); // aborted by the first
                throw new IOException("late");
            });
        }

        @AsyncTest
        void becauseATaskFailedAndTheBodyWaitsForIt(TestScope scope) throws Exception {
            Channel<Integer> channel = Channel.rendezvous();
            scope.spawn(() -> {
                throw new IOException("why");
            });
            channel.receive();
        }

        @AsyncTest
        void becauseNobodyHasAnArgument(TestRuntime test, String text) {}

        @AsyncTest
        void becauseABackgroundTaskTakesTooLongToEnd(BackgroundScope background) throws Exception {
            background.spawnNamed("slow", () -> {
                try {
                    Task.sleep(Duration.ofDays(1));
                } finally {
                    Task.shield(() -> Task.sleep(Duration.ofSeconds(6)));
                }
            });
            Task.sleep(Duration.ofSeconds(1));
        }

        @AsyncTest
        void becauseABackgroundTaskFailed(BackgroundScope background) throws Exception {
            background.spawn(() -> {
                throw new IOException("in the background");
            });
            Task.sleep(Duration.ofSeconds(1));
        }

        @AsyncTest
        @Timeout(3) // time to come to where it waits
        void atJUnitsTimeout(TestScope scope) throws Exception {
            Semaphore never = Semaphore.of(0);
            scope.spawnNamed("waiter", () -> never.acquire());
            Task.blocking(() -> new CountDownLatch(1).await()); // the clock stands
        }
    }

    /** One that no interrupt ends. */
    static class Stuck {
        static volatile boolean over;

        @AsyncTest
        @Timeout(3) // as above
        void atJUnitsTimeoutInACircle() {
            while (!over) {
                Thread.onSpinWait();
            }
        }
    }

    /** These are asked for what makes no sense. */
    static class Wrong {
        @AsyncTest(schedules = 0)
        void noSchedules() {}

        @AsyncTest(timeout = "10")
        void noUnit() {}

        @AsyncTest(budget = "0s")
        void noTime() {}

        @AsyncTest(strategy = ScheduleStrategy.PREEMPTIONS, preemptions = -1)
        void negativePreemptions() {}

        @AsyncTest(replay = "what")
        void noTrace() {}

        @AsyncTest
        void unknownParameter(StringBuilder text) {}

        @AsyncTest
        @RepeatedTest(2)
        void alsoATemplate() {}
    }

    static class WrongPlace {
        @BeforeEach
        void before(TestClock clock) {}

        @AsyncTest
        void body() {}
    }

    static class LostState {
        private List<String> made;

        @BeforeEach
        void setUp() {
            made = new ArrayList<>();
        }

        @AsyncTest(schedules = 2)
        void usesWhatIsNotThere() {
            made.add("x");
        }
    }

    /** Fails in some schedule, or in the one that a variable of its JVM gives. */
    static class FromVariables {
        @AsyncTest(schedules = 500)
        void lostUpdate(TestScope scope) throws Exception {
            new Failing().inSomeSchedule(scope);
        }
    }

    /** Known seeds come first. */
    static class Seeded {
        static final Map<String, List<Long>> FIRST = new ConcurrentHashMap<>();

        static void note(String test, Rng rng) {
            FIRST.computeIfAbsent(test, name -> new CopyOnWriteArrayList<>()).add(rng.nextLong());
        }

        @AsyncTest(schedules = 3)
        @SeedSource({0x1f3aL, 7})
        void regressionsFirst(Rng rng) {
            note("regressions", rng);
        }

        @AsyncTest(seed = 0x1f3aL)
        void oneSeed(Rng rng) {
            note("one", rng);
        }

        @AsyncTest
        void ofItsOwn(Rng rng) {
            note("own", rng);
        }

        @AsyncTest
        void ofItsOwnToo(Rng rng) {
            note("own too", rng);
        }

        @AsyncTest(replay = "k3:eNozZwAAAHAAOA", schedules = 50)
        void replayed(Rng rng) {
            note("replayed", rng);
        }
    }

    /** Each fails in some order, and with some data only; the data determine how long it takes, too. */
    static class OfItsData {
        private final Semaphore permits = Semaphore.of(1);

        private static void run(Rng rng, TestScope scope) throws Exception {
            int rounds = 1 + rng.nextInt(4);
            int data = rng.nextInt(1_000_000);
            Account account = new Account();
            JoinHandle<?> other = scope.spawn(() -> {
                for (int i = 0; i < rounds; i++) {
                    account.add(1);
                }
            });
            account.add(1);
            other.join();
            int sum = account.read();
            assertThat(sum).as("data %d, %d rounds", data, rounds).isEqualTo(data % 7 == 0 ? rounds + 1 : sum);
        }

        @AsyncTest(schedules = 500, strategy = ScheduleStrategy.RANDOM)
        void atRandom(Rng rng, TestScope scope) throws Exception {
            run(rng, scope);
        }

        @AsyncTest(schedules = 500, strategy = ScheduleStrategy.PCT, depth = 2)
        void byPriorities(Rng rng, TestScope scope) throws Exception {
            run(rng, scope);
        }

        @AsyncTest(strategy = ScheduleStrategy.PCT, depth = 9, seed = 20)
        void byPrioritiesAndOnce(Rng rng, TestScope scope) throws Exception {
            run(rng, scope);
        }

        @AsyncTest(strategy = ScheduleStrategy.PREEMPTIONS, seed = 14)
        void byASearch(Rng rng, TestScope scope) throws Exception {
            run(rng, scope);
        }

        @AsyncTest(schedules = 500)
        void byAMixture(Rng rng, TestScope scope) throws Exception {
            run(rng, scope);
        }

        @AsyncTest(strategy = ScheduleStrategy.FIFO)
        void inOrder(Rng rng, TestScope scope) {
            throw new AssertionError("data " + rng.nextInt(1_000_000));
        }

        @AsyncTest(schedules = 2)
        void ofWhatItsInstanceHas() throws Exception {
            permits.acquire(); // and never given back
        }
    }

    /** Two that run at the same time, for each waits until the other has begun. */
    @Execution(ExecutionMode.CONCURRENT)
    static class Parallel {
        static volatile CountDownLatch both = new CountDownLatch(2);

        @AsyncTest(schedules = 20)
        void one(TestScope scope, TestClock clock) throws Exception {
            meet(scope, clock);
        }

        @AsyncTest(schedules = 20)
        void other(TestScope scope, TestClock clock) throws Exception {
            meet(scope, clock);
        }

        private static void meet(TestScope scope, TestClock clock) throws Exception {
            both.countDown();
            if (both.getCount() > 0) { // later schedules have nobody to wait for, and go the same way
                Task.blocking(() -> both.await());
            }
            assertThat(scope.spawn(() -> {
                                Task.sleep(Duration.ofMinutes(1));
                                return 1;
                            })
                            .join())
                    .isEqualTo(1);
            assertThat(clock.elapsed()).isEqualTo(Duration.ofMinutes(1));
        }
    }

    /** No test of ours, and a virtual thread that waits. */
    @ExtendWith(DumpOnTimeout.class)
    static class Plain {
        @Test
        @Timeout(3) // as above
        void waitsForAThread() throws Exception {
            JoinHandle<?> task = TaskRuntime.global()
                    .spawnNamed("a stuck task", () -> Semaphore.of(0).acquire());
            Thread thread = Thread.ofVirtual().name("the stuck one").start(() -> {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    // the end
                }
            });
            try {
                thread.join();
            } finally {
                thread.interrupt();
                task.abort();
            }
        }
    }
}
