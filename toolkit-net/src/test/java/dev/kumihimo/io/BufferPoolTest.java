package dev.kumihimo.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BufferPoolTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private final BufferPool pool = BufferPool.builder().maxRetained(1 << 20).build();

    /* ---------------- Taking and giving back -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 511, 512, 513, 1000, 65_536, 1 << 20, (1 << 20) + 1})
    void take_givesADirectBufferOfThatCapacity_andAgainWhenItIsUsedAnew(int capacity) {
        for (int i = 0; i < 3; i++) {
            try (PooledBuffer taken = pool.take(capacity)) {
                ByteBuffer buffer = taken.buffer();
                assertThat(taken.capacity()).isEqualTo(capacity);
                assertThat(buffer.isDirect()).isTrue();
                assertThat(buffer.position()).isZero();
                assertThat(buffer.limit()).isEqualTo(capacity);
                assertThat(buffer.capacity()).isEqualTo(capacity);
                assertThat(taken.buffer()).isSameAs(buffer);
                while (buffer.hasRemaining()) {
                    buffer.put((byte) 1);
                }
                buffer.limit(0);
            }
        }
    }

    @Test
    void take_usesAgainWhatWasGivenBackLast_forAnyCapacityOfItsSize() {
        PooledBuffer first = pool.take(1024);
        PooledBuffer second = pool.take(1024);
        first.buffer().putInt(0, 1);
        second.buffer().putInt(0, 2);
        first.close();
        second.close();
        try (PooledBuffer again = pool.take(600);
                PooledBuffer other = pool.take(1024);
                PooledBuffer smaller = pool.take(512)) {
            assertThat(again.buffer().getInt(0)).isEqualTo(2);
            assertThat(other.buffer().getInt(0)).isEqualTo(1);
            assertThat(smaller.buffer().getInt(0)).isZero();
        }
    }

    @Test
    void figures_countBytesRetainedAndBuffersTaken() {
        PooledBuffer one = pool.take(1000);
        PooledBuffer two = pool.take(5000);
        assertThat(pool.outstanding()).isEqualTo(2);
        assertThat(pool.retained()).isZero();
        one.close();
        assertThat(pool.outstanding()).isEqualTo(1);
        assertThat(pool.retained()).isEqualTo(1024);
        two.close();
        assertThat(pool.outstanding()).isZero();
        assertThat(pool.retained()).isEqualTo(1024 + 8192);
        try (PooledBuffer three = pool.take(1024)) {
            assertThat(pool.retained()).isEqualTo(8192);
        }
        assertThat(pool).hasToString("BufferPool[0 taken, 9216 bytes retained]");
        pool.trim();
        assertThat(pool.retained()).isZero();
        pool.take(10).close();
        assertThat(pool.retained()).isEqualTo(512);
    }

    @Test
    void close_ofMoreThanIsRetained_dropsIt() {
        List<PooledBuffer> taken = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            taken.add(pool.take(100_000)); // 128 KiB each, of which 8 are kept
        }
        taken.forEach(PooledBuffer::close);
        assertThat(pool.retained()).isEqualTo(1 << 20);
        pool.take(512).close();
        assertThat(pool.retained()).as("one of 512 bytes more").isEqualTo(1 << 20);
        assertThat(pool.outstanding()).isZero();
    }

    @Test
    void take_ofMoreThanTheLargest_isNotKept() {
        try (BufferPool small = BufferPool.builder().largest(4096).build()) {
            try (PooledBuffer large = small.take(4097)) {
                assertThat(small.outstanding()).isEqualTo(1);
            }
            small.take(4096).close();
            assertThat(small.retained()).isEqualTo(4096);
            assertThat(small.outstanding()).isZero();
        }
    }

    @Test
    void pool_thatRetainsNothing_keepsNothing() {
        BufferPool none = BufferPool.builder().maxRetained(0).build();
        none.take(1).close();
        assertThat(none.retained()).isZero();
    }

    /* ---------------- Sharing -------------- */

    @Test
    void slice_isAViewOfTheSameBytes_withIndicesOfItsOwn() {
        try (PooledBuffer whole = pool.take(100)) {
            whole.buffer().position(50).limit(60);
            try (PooledBuffer slice = whole.slice(10, 20)) {
                assertThat(slice.capacity()).isEqualTo(20);
                assertThat(slice.buffer().remaining()).isEqualTo(20);
                slice.buffer().put(0, (byte) 7);
                assertThat(whole.buffer().get(10)).isEqualTo((byte) 7);
                whole.buffer().put(29, (byte) 8);
                assertThat(slice.buffer().get(19)).isEqualTo((byte) 8);
                try (PooledBuffer part = slice.slice(19, 1);
                        PooledBuffer empty = slice.slice(20, 0)) {
                    assertThat(part.buffer().get(0)).isEqualTo((byte) 8);
                    assertThat(empty.capacity()).isZero();
                }
            }
        }
        assertThat(pool.outstanding()).isZero();
    }

    @Test
    void memory_goesBackWithTheLastOfThoseThatShareIt() {
        PooledBuffer whole = pool.take(1024);
        PooledBuffer slice = whole.slice(0, 4);
        PooledBuffer retained = whole.retain();
        PooledBuffer readOnly = slice.readOnly();
        slice.buffer().putInt(0, 42);
        whole.close();
        slice.close();
        retained.close();
        assertThat(pool.outstanding()).isEqualTo(1);
        assertThat(pool.retained()).isZero();
        try (PooledBuffer other = pool.take(1024)) {
            other.buffer().putInt(0, 1); // is other memory
        }
        assertThat(readOnly.buffer().getInt(0)).isEqualTo(42);
        readOnly.close();
        assertThat(pool.outstanding()).isZero();
        assertThat(pool.retained()).isEqualTo(2048);
    }

    @Test
    void retain_hasThePositionAndLimitOfThatMoment_andMovesAlone() {
        try (PooledBuffer one = pool.take(100)) {
            one.buffer().position(3).limit(9);
            try (PooledBuffer two = one.retain();
                    PooledBuffer three = one.readOnly()) {
                assertThat(two.buffer()).isNotSameAs(one.buffer());
                assertThat(two.buffer().position()).isEqualTo(3);
                assertThat(two.buffer().limit()).isEqualTo(9);
                assertThat(three.buffer().remaining()).isEqualTo(6);
                two.buffer().clear();
                assertThat(one.buffer().position()).isEqualTo(3);
            }
        }
    }

    @Test
    void readOnly_refusesWrites_andSoDoesWhatIsMadeOfIt() {
        try (PooledBuffer one = pool.take(100);
                PooledBuffer view = one.readOnly();
                PooledBuffer slice = view.slice(0, 10);
                PooledBuffer same = view.retain()) {
            one.buffer().put(0, (byte) 5);
            assertThat(view.buffer().get(0)).isEqualTo((byte) 5);
            for (PooledBuffer each : List.of(view, slice, same)) {
                assertThatThrownBy(() -> each.buffer().put(0, (byte) 1)).isInstanceOf(ReadOnlyBufferException.class);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "0, 101", "1, 100", "100, 1", "101, 0", "0, -1", "2147483647, 2147483647", "1, 2147483647"})
    void slice_thatDoesNotLieWithin_isRefused(int from, int length) {
        try (PooledBuffer one = pool.take(100)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> one.slice(from, length))
                    .withMessage("from=" + from + ", length=" + length + " must lie within the 100 bytes");
        }
        assertThat(pool.outstanding()).isZero();
    }

    /* ---------------- Mistakes -------------- */

    @Test
    void close_twice_isAnError_andHurtsNobodyElse() {
        PooledBuffer one = pool.take(100);
        PooledBuffer other = one.retain();
        other.buffer().put(0, (byte) 9);
        one.close();
        assertThat(one.isOpen()).isFalse();
        assertThatIllegalStateException()
                .isThrownBy(one::close)
                .withMessage("PooledBuffer[100 bytes, closed] was closed before");
        assertThat(pool.outstanding()).isEqualTo(1);
        try (PooledBuffer next = pool.take(100)) {
            next.buffer().put(0, (byte) 1);
            assertThatIllegalStateException().isThrownBy(one::close);
            assertThat(pool.outstanding()).isEqualTo(2);
        }
        assertThat(other.isOpen()).isTrue();
        assertThat(other.buffer().get(0)).isEqualTo((byte) 9);
        other.close();
        assertThat(pool.outstanding()).isZero();
    }

    @Test
    void use_afterClosing_isAnError_alsoWhileOthersShareTheMemory() {
        PooledBuffer one = pool.take(100);
        try (PooledBuffer other = one.retain()) {
            one.close();
            List<Consumer<PooledBuffer>> uses =
                    List.of(PooledBuffer::buffer, b -> b.slice(0, 1), PooledBuffer::retain, PooledBuffer::readOnly);
            for (Consumer<PooledBuffer> use : uses) {
                assertThatIllegalStateException().isThrownBy(() -> use.accept(one));
            }
            assertThat(one.capacity()).isEqualTo(100);
        }
        assertThat(pool.outstanding()).isZero();
    }

    @Test
    void retain_ofALeaseThatHasEnded_isRefused() {
        Lease lease = new Lease(pool, ByteBuffer.allocateDirect(512));
        assertThat(lease.retain()).isTrue();
        lease.release();
        lease.release();
        assertThat(lease.retain()).isFalse();
    }

    /* ---------------- Tracking -------------- */

    /** Leaves no reference behind in the caller's frame. */
    private static ByteBuffer takeAndForget(BufferPool from) {
        return from.take(1000).buffer();
    }

    @Test
    void tracking_findsABufferThatWasCollected_withTheStack_andDoesNotUseItsMemoryAgain() {
        BufferPool tracking = BufferPool.tracking();
        ByteBuffer bytes = takeAndForget(tracking);
        bytes.put(0, (byte) 77);
        await().atMost(LONG).until(() -> {
            System.gc();
            return tracking.unreleased().getFirst().collected();
        });
        assertThat(tracking.unreleased()).singleElement().satisfies(found -> {
            assertThat(found.capacity()).isEqualTo(1000);
            assertThat(found.taken().getStackTrace())
                    .anySatisfy(frame -> assertThat(frame.getMethodName()).isEqualTo("takeAndForget"));
        });
        assertThat(tracking.outstanding()).isZero();
        assertThat(tracking.retained()).isZero();
        try (PooledBuffer other = tracking.take(1000)) {
            other.buffer().put(0, (byte) 1);
            assertThat(bytes.get(0)).as("of somebody who kept the bytes alone").isEqualTo((byte) 77);
        }
    }

    @Test
    void tracking_findsASliceThatWasForgotten_whenTheWholeIsClosed() {
        BufferPool tracking = BufferPool.tracking();
        PooledBuffer whole = tracking.take(512);
        whole.slice(0, 8).buffer().put(0, (byte) 1);
        await().atMost(LONG).until(() -> {
            System.gc();
            return tracking.unreleased().stream().anyMatch(BufferPool.Unreleased::collected);
        });
        whole.close();
        assertThat(tracking.outstanding()).isZero();
        assertThat(tracking.retained()).as("lost, since the slice was").isZero();
        assertThat(tracking.unreleased())
                .singleElement()
                .satisfies(found -> assertThat(found.capacity()).isEqualTo(8));
    }

    @Test
    void tracking_listsWhatIsStillHeld_untilItIsClosed() {
        BufferPool tracking = BufferPool.tracking();
        PooledBuffer held = tracking.take(100);
        PooledBuffer slice = held.slice(0, 10);
        assertThat(tracking.unreleased()).hasSize(2).noneMatch(BufferPool.Unreleased::collected);
        held.close();
        assertThat(tracking.unreleased())
                .singleElement()
                .satisfies(one -> assertThat(one.capacity()).isEqualTo(10));
        tracking.close();
        assertThat(tracking.unreleased()).hasSize(1);
        slice.close();
        assertThat(tracking.unreleased()).isEmpty();
        assertThat(tracking.outstanding()).isZero();
        assertThatIllegalStateException().isThrownBy(pool::unreleased);
    }

    @Test
    void tracking_overwritesWhatComesBack_andTellsWhereItWasClosedFirst() {
        BufferPool tracking = BufferPool.tracking();
        PooledBuffer one = tracking.take(512);
        ByteBuffer kept = one.buffer().put(0, (byte) 1).put(511, (byte) 2);
        one.close();
        assertThat(kept.get(0)).isEqualTo((byte) 0xDB);
        assertThat(kept.get(511)).isEqualTo((byte) 0xDB);
        assertThatIllegalStateException()
                .isThrownBy(one::close)
                .havingCause()
                .satisfies(first ->
                        assertThat(first.getStackTrace()[1].getMethodName()).startsWith("tracking_overwrites"));
    }

    /* ---------------- Closing the pool, options -------------- */

    @Test
    void closedPool_handsOutNothing_andDropsWhatComesBack() {
        PooledBuffer taken = pool.take(100);
        pool.take(100_000).close();
        pool.close();
        pool.close();
        assertThat(pool.retained()).isZero();
        assertThatIllegalStateException().isThrownBy(() -> pool.take(1)).withMessageContaining("closed");
        taken.buffer().put(0, (byte) 1);
        taken.close();
        assertThat(pool.retained()).isZero();
        assertThat(pool.outstanding()).isZero();
    }

    @Test
    void shared_isOneForAll_andCannotBeClosed() {
        assertThat(BufferPool.shared()).isSameAs(BufferPool.shared());
        assertThatIllegalStateException().isThrownBy(() -> BufferPool.shared().close());
        BufferPool.shared().take(1).close();
    }

    @Test
    void badInput_isOneSentenceWithTheValue() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> pool.take(0))
                .withMessage("capacity=0 must be at least 1");
        for (int largest : new int[] {0, -1, 256, 513, Integer.MIN_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> BufferPool.builder().largest(largest))
                    .withMessage("largest=" + largest + " must be a power of two from 512 to 1073741824");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BufferPool.builder().maxRetained(-1))
                .withMessage("maxRetained=-1 must be at least 0");
    }

    @Test
    void properties_setWhatTheBuilderLeavesOpen() {
        withProperty("kumihimo.buffers.max.retained", "512", () -> {
            BufferPool limited = BufferPool.create();
            limited.take(512).close();
            limited.take(513).close();
            assertThat(limited.retained()).isEqualTo(512);
        });
        withProperty("kumihimo.buffers.tracking", "true", () -> {
            assertThatIllegalStateException()
                    .isThrownBy(
                            () -> BufferPool.builder().tracking(false).build().unreleased());
            assertThat(BufferPool.create().unreleased()).isEmpty();
        });
        withProperty(
                "kumihimo.buffers.tracking",
                "yes",
                () -> assertThatIllegalArgumentException()
                        .isThrownBy(BufferPool::create)
                        .withMessage("kumihimo.buffers.tracking=yes must be true or false"));
        withProperty(
                "kumihimo.buffers.max.retained",
                "1k",
                () -> assertThatIllegalArgumentException()
                        .isThrownBy(BufferPool::create)
                        .withMessage("kumihimo.buffers.max.retained=1k must be a number of bytes"));
    }

    /** A property that is wrong concerns the shared pool alone, and each who asks for that is told. */
    @Test
    void aWrongProperty_isToldOf_wheneverTheSharedPoolIsAskedFor_andKeepsNoOtherFromClosing() throws Exception {
        Class<?> fresh = new Anew().loadClass(BufferPool.class.getName());
        withProperty("kumihimo.buffers.max.retained", "64m", () -> {
            try {
                Object builder = fresh.getMethod("builder").invoke(null);
                Class<?> builders = builder.getClass();
                builders.getMethod("maxRetained", long.class).invoke(builder, 512L);
                AutoCloseable own = (AutoCloseable) builders.getMethod("build").invoke(builder);
                own.close();
                for (int i = 0; i < 2; i++) {
                    assertThatThrownBy(() -> fresh.getMethod("shared").invoke(null))
                            .cause()
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessage("kumihimo.buffers.max.retained=64m must be a number of bytes");
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        AutoCloseable shared = (AutoCloseable) fresh.getMethod("shared").invoke(null);
        assertThat(fresh.getMethod("shared").invoke(null)).isSameAs(shared);
        assertThatIllegalStateException().isThrownBy(shared::close);
    }

    /** Makes the classes of pools anew, as they are before anybody has asked for the shared one. */
    private static final class Anew extends ClassLoader {
        private static final String POOLS = BufferPool.class.getPackageName() + ".";

        Anew() {
            super(BufferPool.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(POOLS)) {
                return super.loadClass(name, resolve);
            }
            Class<?> made = findLoadedClass(name);
            if (made != null) {
                return made;
            }
            try (java.io.InputStream file = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = file.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (java.io.IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    private static void withProperty(String name, String value, Runnable checks) {
        System.setProperty(name, value);
        try {
            checks.run();
        } finally {
            System.clearProperty(name);
        }
    }

    /* ---------------- Many threads -------------- */

    /**
     * Memory is one user's at a time: each fills what it takes with a number of its own, hands a view to whoever takes it from
     * the queue, and finds its number when it looks again; so does the other, who closes it in a thread of its own.
     */
    @Test
    void manyThreads_neverShareMemoryThatTheyDidNotHandOn() throws Exception {
        int threads = 4;
        int rounds = 40_000;
        record Handed(PooledBuffer view, long number) {}
        BlockingQueue<Handed> handedOn = new ArrayBlockingQueue<>(16);
        try (BufferPool small = BufferPool.builder().maxRetained(16 * 1024).build();
                ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int thread = t;
                all.add(executor.submit(() -> {
                    SplittableRandom random = new SplittableRandom(thread);
                    for (int i = 0; i < rounds; i++) {
                        long number = (long) thread << 32 | i;
                        try (PooledBuffer mine = small.take(512 << random.nextInt(3))) {
                            int last = mine.capacity() - 8;
                            mine.buffer().putLong(0, number).putLong(last, number);
                            PooledBuffer view = mine.slice(last, 8);
                            if (!handedOn.offer(new Handed(view, number))) {
                                view.close();
                            }
                            Handed other = random.nextBoolean() ? handedOn.poll() : null;
                            if (other != null) {
                                assertThat(other.view.buffer().getLong(0) == other.number)
                                        .isTrue();
                                other.view.close();
                            }
                            assertThat(mine.buffer().getLong(0) == number
                                            && mine.buffer().getLong(last) == number)
                                    .isTrue();
                            assertThat(small.retained() <= 16 * 1024 + threads * 2048)
                                    .isTrue();
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
            handedOn.forEach(left -> left.view.close());
            assertThat(small.outstanding()).isZero();
            assertThat(small.retained()).isBetween(512L, 16L * 1024);
            long kept = small.retained();
            small.trim();
            assertThat(small.retained()).as("after %s", kept).isZero();
        }
    }
}
