package dev.kumihimo.internal.jdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import java.lang.management.ManagementFactory;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds on every JDK from 21 on; what the JDKs do differently must not show. */
@Timeout(20)
class StructuredScopeTest {

    private static final ThreadFactory VIRTUAL = Thread.ofVirtual().factory();

    @Test
    void thisJdk_isSupported() {
        assertThat(StructuredScope.isSupported()).isTrue();
    }

    @Test
    void fork_runsTheBodyInAThreadOfTheFactory_madeByTheCaller() {
        AtomicReference<Thread> made = new AtomicReference<>();
        AtomicReference<Thread> ran = new AtomicReference<>();
        ThreadFactory factory = task -> {
            made.set(Thread.ofVirtual().name("fork").unstarted(task));
            return made.get();
        };
        try (StructuredScope scope = StructuredScope.open("scope", factory)) {
            scope.fork(() -> ran.set(Thread.currentThread()));
            assertThat(made).as("at return from fork").doesNotHaveNullValue();
            scope.joinUninterruptibly();
        }
        assertThat(ran.get()).isNotNull().isSameAs(made.get());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void scope_isOwnedByPlatformAndVirtualThreads(boolean virtual) throws InterruptedException {
        AtomicInteger sum = new AtomicInteger();
        Thread owner = (virtual ? Thread.ofVirtual() : Thread.ofPlatform()).start(() -> {
            try (StructuredScope scope = StructuredScope.open("scope", VIRTUAL)) {
                for (int i = 1; i <= 100; i++) {
                    int term = i;
                    scope.fork(() -> sum.addAndGet(term));
                }
                scope.joinUninterruptibly();
                sum.addAndGet(sum.get() == 5050 ? 1 : 0);
            }
        });
        owner.join();
        assertThat(sum).hasValue(5051);
    }

    @Test
    void scopedValues_reachTheFork() throws Throwable {
        ScopedValues values = new ScopedValues();
        AtomicReference<Object> seen = new AtomicReference<>();
        values.where("bound", () -> {
            try (StructuredScope scope = StructuredScope.open("scope", VIRTUAL)) {
                scope.fork(() -> seen.set(values.get()));
                scope.joinUninterruptibly();
            }
        });
        assertThat(seen).hasValue("bound");
    }

    @Test
    void threadDump_showsTheForkUnderItsScope_andTheScopeUnderItsOwner(@TempDir Path directory) throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        AtomicReference<Thread> fork = new AtomicReference<>();
        ThreadFactory factory = task -> {
            fork.set(Thread.ofVirtual().name("dumped-fork").unstarted(task));
            return fork.get();
        };
        Path dump = directory.resolve("dump.json");
        try (StructuredScope scope = StructuredScope.open("dumped-scope", factory)) {
            scope.fork(() -> awaitQuietly(end));
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                    .dumpThreads(dump.toString(), ThreadDumpFormat.JSON);
            end.countDown();
            scope.joinUninterruptibly();
        }
        String json = Files.readString(dump).replaceAll("\\s+", "");
        Matcher container = Pattern.compile(
                        "\\{\"container\":\"dumped-scope[^\"]*\",\"parent\":\"[^\"]*\",\"owner\":\"?"
                                + Thread.currentThread().threadId() + "\"?,\"threads\":\\[\\{(.*?)]")
                .matcher(json);
        assertThat(container.find()).as("container with name and owner").isTrue();
        assertThat(container.group(1))
                .contains("dumped-fork")
                .containsPattern("\"tid\":\"?" + fork.get().threadId() + "\"?");
    }

    @Test
    void finishedForks_areNotRetained_whileTheScopeIsOpen() throws InterruptedException {
        int forks = 100_000;
        ReferenceQueue<Object> collected = new ReferenceQueue<>();
        Set<WeakReference<?>> uncollected = new HashSet<>();
        CountDownLatch ended = new CountDownLatch(forks);
        ThreadFactory factory = task -> {
            Thread thread = Thread.ofVirtual().unstarted(task);
            if (uncollected.size() < 2_000) {
                uncollected.add(new WeakReference<>(task, collected));
                uncollected.add(new WeakReference<>(thread, collected));
            }
            return thread;
        };
        try (StructuredScope scope = StructuredScope.open("scope", factory)) {
            for (int i = 0; i < forks; i++) {
                scope.fork(ended::countDown);
            }
            ended.await();
            for (int i = 0; i < 100 && !uncollected.isEmpty(); i++) {
                System.gc();
                while (collected.remove(10) instanceof WeakReference<?> reference) {
                    uncollected.remove(reference);
                }
            }
            assertThat(uncollected).as("reachable from the open scope").isEmpty();
            scope.joinUninterruptibly();
        }
    }

    @Test
    void join_waitsForAllForks_andAnInterruptIsPutOff() throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        AtomicInteger ended = new AtomicInteger();
        AtomicInteger interrupted = new AtomicInteger();
        AtomicInteger endedAtJoin = new AtomicInteger();
        AtomicReference<@Nullable Boolean> flagAtJoin = new AtomicReference<>();
        AtomicReference<@Nullable Boolean> flagAtClose = new AtomicReference<>();
        Thread owner = Thread.ofVirtual().start(() -> {
            try (StructuredScope scope = StructuredScope.open("scope", VIRTUAL)) {
                for (int i = 0; i < 10; i++) {
                    scope.fork(() -> {
                        if (!awaitQuietly(end)) {
                            interrupted.incrementAndGet();
                        }
                        ended.incrementAndGet();
                    });
                }
                Thread.currentThread().interrupt(); // one before the join ...
                scope.joinUninterruptibly();
                endedAtJoin.set(ended.get());
                flagAtJoin.set(Thread.currentThread().isInterrupted());
            }
            flagAtClose.set(Thread.currentThread().isInterrupted());
        });
        for (int i = 0; i < 3; i++) { // ... and some during it
            awaitState(owner, Thread.State.WAITING);
            owner.interrupt();
        }
        awaitState(owner, Thread.State.WAITING);
        end.countDown();
        owner.join();
        assertThat(endedAtJoin).hasValue(10);
        assertThat(interrupted).as("forks that were interrupted").hasValue(0);
        assertThat(flagAtJoin).hasValue(true);
        assertThat(flagAtClose).hasValue(true);
    }

    @Test
    void interruptedJoin_isWokenByTheLastBody_notOnlyByTheEndOfItsThread() throws InterruptedException {
        CountDownLatch endBody = new CountDownLatch(1);
        CountDownLatch endThread = new CountDownLatch(1);
        CountDownLatch joined = new CountDownLatch(1);
        ThreadFactory lingering = task -> Thread.ofVirtual().unstarted(() -> {
            task.run();
            awaitQuietly(endThread);
        });
        Thread owner = Thread.ofVirtual().start(() -> {
            try (StructuredScope scope = StructuredScope.open("scope", lingering)) {
                scope.fork(() -> awaitQuietly(endBody));
                scope.joinUninterruptibly();
                joined.countDown();
            }
        });
        awaitState(owner, Thread.State.WAITING);
        owner.interrupt();
        awaitState(owner, Thread.State.WAITING);
        endBody.countDown();
        joined.await();
        endThread.countDown();
        owner.join();
    }

    @Test
    void join_leavesTheFlagClear_whenNobodyInterrupts() {
        try (StructuredScope scope = StructuredScope.open("scope", VIRTUAL)) {
            scope.fork(() -> {});
            scope.joinUninterruptibly();
            scope.joinUninterruptibly();
        }
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void close_needsNoJoin_whenNothingWasForked() {
        StructuredScope scope = StructuredScope.open("scope", VIRTUAL);
        scope.close();
        scope.close();
        assertThatIllegalStateException().isThrownBy(() -> scope.fork(() -> {}));
    }

    @Test
    void close_withoutJoin_isTold_andWaitsForTheForks() {
        AtomicInteger interrupted = new AtomicInteger();
        StructuredScope scope = StructuredScope.open("scope", VIRTUAL);
        scope.fork(() -> interrupted.addAndGet(awaitQuietly(new CountDownLatch(1)) ? 0 : 1));
        assertThatIllegalStateException().isThrownBy(scope::close);
        assertThat(interrupted).hasValue(1);
    }

    @Test
    void fork_afterJoin_isRefused() {
        try (StructuredScope scope = StructuredScope.open("orders", VIRTUAL)) {
            scope.fork(() -> {});
            scope.joinUninterruptibly();
            assertThatIllegalStateException()
                    .isThrownBy(() -> scope.fork(() -> {}))
                    .withMessageContaining("orders");
        }
    }

    @Test
    void otherThreads_areRefused_childrenToo() throws InterruptedException {
        List<Class<?>> refusals = new ArrayList<>();
        try (StructuredScope scope = StructuredScope.open("scope", VIRTUAL)) {
            Runnable misuse = () -> {
                for (Runnable call :
                        List.<Runnable>of(() -> scope.fork(() -> {}), scope::joinUninterruptibly, scope::close)) {
                    try {
                        call.run();
                    } catch (RuntimeException e) {
                        refusals.add(e.getClass());
                    }
                }
            };
            Thread.ofPlatform().start(misuse).join();
            scope.fork(misuse);
            scope.joinUninterruptibly();
        }
        assertThat(refusals).hasSize(6).containsOnly(WrongThreadException.class);
    }

    @Test
    void fork_insideANewScopedValueBinding_isRefusedByTheJdk_andTheScopeStaysUsable() throws Throwable {
        ScopedValues values = new ScopedValues();
        AtomicInteger ran = new AtomicInteger();
        try (StructuredScope scope = StructuredScope.open("scope", VIRTUAL)) {
            values.where(
                    "later",
                    () -> assertThatThrownBy(() -> scope.fork(ran::incrementAndGet))
                            .satisfies(e ->
                                    assertThat(e.getClass().getSimpleName()).isEqualTo("StructureViolationException")));
            scope.fork(() -> ran.addAndGet(10));
            scope.joinUninterruptibly();
        }
        assertThat(ran).hasValue(10);
    }

    @Test
    void closeOutOfOrder_isTold_andForkInTheInnerScopeIsNotLostInSilence() {
        StructuredScope outer = StructuredScope.open("outer", VIRTUAL);
        StructuredScope inner = StructuredScope.open("inner", VIRTUAL);
        assertThatThrownBy(outer::close)
                .satisfies(e -> assertThat(e.getClass().getSimpleName()).isEqualTo("StructureViolationException"));
        AtomicInteger ran = new AtomicInteger();
        assertThatIllegalStateException()
                .isThrownBy(() -> inner.fork(ran::incrementAndGet))
                .withMessageContaining("inner");
        inner.joinUninterruptibly();
        inner.close();
        assertThat(ran).hasValue(0);
    }

    @Test
    void fork_ofAScopeThatOutlivedItsBinding_isNotLostInSilence() {
        AtomicReference<StructuredScope> leaked = new AtomicReference<>();
        assertThatThrownBy(() ->
                        new ScopedValues().where("bound", () -> leaked.set(StructuredScope.open("leaked", VIRTUAL))))
                .satisfies(e -> assertThat(e.getClass().getSimpleName()).isEqualTo("StructureViolationException"));
        StructuredScope scope = leaked.get();
        assertThatIllegalStateException().isThrownBy(() -> scope.fork(() -> {})).withMessageContaining("leaked");
        scope.joinUninterruptibly();
        scope.close();
    }

    @Test
    void factoryFailures_passThrough_andTheScopeStaysUsable() {
        AtomicReference<ThreadFactory> factory = new AtomicReference<>();
        AtomicInteger ran = new AtomicInteger();
        IllegalArgumentException failure = new IllegalArgumentException("factory");
        Thread terminated = Thread.ofVirtual().start(() -> {});
        try (StructuredScope scope =
                StructuredScope.open("scope", task -> factory.get().newThread(task))) {
            factory.set(task -> null);
            assertThatExceptionOfType(RejectedExecutionException.class)
                    .isThrownBy(() -> scope.fork(ran::incrementAndGet));
            factory.set(task -> {
                throw failure;
            });
            assertThatThrownBy(() -> scope.fork(ran::incrementAndGet)).isSameAs(failure);
            factory.set(task -> terminated);
            assertThatExceptionOfType(IllegalThreadStateException.class)
                    .isThrownBy(() -> scope.fork(ran::incrementAndGet));
            factory.set(VIRTUAL);
            scope.fork(() -> ran.addAndGet(10));
            scope.joinUninterruptibly();
        }
        assertThat(ran).hasValue(10);
    }

    private static boolean awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private static void awaitState(Thread thread, Thread.State state) throws InterruptedException {
        for (Thread.State now; (now = thread.getState()) != state; ) {
            assertThat(now).isNotEqualTo(Thread.State.TERMINATED);
            LockSupport.parkNanos(100_000);
            if (Thread.interrupted()) {
                throw new InterruptedException("still " + now);
            }
        }
    }

    /** One {@code ScopedValue}, by reflection, since the type is a preview on JDK 21 to 24. */
    private static final class ScopedValues {
        private final Class<?> type = Class.forName("java.lang.ScopedValue");
        private final Object value = type.getMethod("newInstance").invoke(null);

        private ScopedValues() throws ReflectiveOperationException {}

        private Object get() {
            try {
                return type.getMethod("get").invoke(value);
            } catch (ReflectiveOperationException e) {
                throw new LinkageError(e.getMessage(), e);
            }
        }

        private void where(Object bound, Runnable body) throws Throwable {
            Object carrier = type.getMethod("where", type, Object.class).invoke(null, value, bound);
            try {
                Class.forName("java.lang.ScopedValue$Carrier")
                        .getMethod("run", Runnable.class)
                        .invoke(carrier, body);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
    }
}
