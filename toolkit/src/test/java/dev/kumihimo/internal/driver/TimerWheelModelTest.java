package dev.kumihimo.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Compares the wheel, over random operations, to a sorted map from (tick, order of insertion) to entry. Expiring
 * entries insert and remove others. Each test's name is its seed; {@code -Dkumihimo.seed=N} runs that one alone, and
 * {@code -Dkumihimo.cases=N} sets how many seeds are run.
 */
class TimerWheelModelTest {

    private static final int OPERATIONS = 2_000;

    @TestFactory
    List<DynamicTest> wheelBehavesLikeASortedMap() {
        Long only = Long.getLong("kumihimo.seed");
        if (only != null) {
            return List.of(testOf(only));
        }
        SplittableRandom seeds = new SplittableRandom();
        List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < Integer.getInteger("kumihimo.cases", 100); i++) {
            tests.add(testOf(seeds.nextLong()));
        }
        return tests;
    }

    private static DynamicTest testOf(long seed) {
        return DynamicTest.dynamicTest("seed " + seed, () -> new Case(seed).run());
    }

    /** The tick that counts, which is the current one for an entry inserted late, and the order of insertion. */
    private record Key(long tick, long order) implements Comparable<Key> {
        @Override
        public int compareTo(Key that) {
            return tick != that.tick ? Long.compare(tick, that.tick) : Long.compare(order, that.order);
        }
    }

    private static final class Case {
        private static final long END_OF_TIME = 1L << 61;

        private final SplittableRandom random;
        private final TimerWheel wheel;
        private final TreeMap<Key, Entry> model = new TreeMap<>();
        /** What was inserted too late to expire in the advance that runs. */
        private final TreeMap<Key, Entry> modelOfNextAdvance = new TreeMap<>();

        private final List<Entry> entries = new ArrayList<>();
        /** How far ahead ticks and jumps reach, in bits: little crowds few slots, much meets the far list. */
        private final int reach;

        private long now;
        private long insertions;
        private boolean advancing;
        private int expired;

        private Case(long seed) {
            random = new SplittableRandom(seed);
            reach = random.nextInt(2, 60);
            now = random.nextLong(1L << random.nextInt(1, 40)) - random.nextInt(100);
            wheel = new TimerWheel(now);
            for (int i = 0; i < 300; i++) {
                entries.add(new Entry());
            }
        }

        private void run() {
            for (int i = 0; i < OPERATIONS && now < END_OF_TIME; i++) {
                switch (random.nextInt(8)) {
                    case 0, 1, 2, 3 -> insertOne();
                    case 4 -> removeOne();
                    case 5 -> advance(now + distance() / 8);
                    case 6 -> advance(Math.min(wheel.nextTick(), END_OF_TIME));
                    default -> advance(now + random.nextInt(3));
                }
                assertThat(wheel.size()).isEqualTo(model.size());
                assertThat(wheel.nextTick()).isBetween(now, firstTick());
            }
            entries.forEach(entry -> entry.passive = true);
            advance(Long.MAX_VALUE - 1);
            advance(Long.MAX_VALUE);
            assertThat(wheel.size()).isZero();
            assertThat(wheel.nextTick()).isEqualTo(Long.MAX_VALUE);
        }

        private void insertOne() {
            Entry entry = entries.get(random.nextInt(entries.size()));
            if (entry.key != null) {
                return;
            }
            long tick = switch (random.nextInt(16)) {
                case 0 -> Long.MAX_VALUE;
                case 1, 2 -> now - random.nextInt(100);
                case 3, 4, 5 ->
                    model.isEmpty() ? now + 1 : model.ceilingKey(anyKey()).tick(); // a tie
                default -> now + distance();
            };
            Key key = new Key(Math.max(tick, now), insertions++);
            entry.key = key;
            (advancing && tick <= now ? modelOfNextAdvance : model).put(key, entry);
            wheel.insert(entry, tick);
        }

        private void removeOne() {
            Entry entry = entries.get(random.nextInt(entries.size()));
            Key key = entry.key;
            assertThat(wheel.remove(entry)).isEqualTo(key != null);
            if (key != null) {
                assertThat(model.remove(key, entry) || modelOfNextAdvance.remove(key, entry))
                        .isTrue();
                entry.key = null;
            }
        }

        private void advance(long to) {
            long expected = wheel.nextTick();
            expired = 0;
            advancing = true;
            assertThat(wheel.advance(to)).isEqualTo(expired);
            advancing = false;
            now = to;
            if (!model.isEmpty()) {
                assertThat(firstTick()).as("nothing due is left").isGreaterThan(to);
            }
            model.putAll(modelOfNextAdvance);
            modelOfNextAdvance.clear();
            if (expired == 0 && expected <= to && wheel.size() > 0) {
                assertThat(wheel.nextTick()).as("there was something to do").isGreaterThan(expected);
            }
        }

        private long firstTick() {
            return model.isEmpty()
                    ? Long.MAX_VALUE
                    : Math.max(now, model.firstKey().tick());
        }

        private Key anyKey() {
            Key last = model.lastKey();
            Key key = new Key(now + distance(), 0);
            return key.compareTo(last) < 0 ? key : last;
        }

        private long distance() {
            return random.nextLong(1L << random.nextInt(1, reach + 1));
        }

        private final class Entry extends TimerEntry {
            private @Nullable Key key;
            private boolean passive;

            @Override
            protected void expire() {
                assertThat(advancing).isTrue();
                assertThat(model.firstEntry().getValue())
                        .as("the earliest, first inserted")
                        .isSameAs(this);
                now = Math.max(now, model.pollFirstEntry().getKey().tick());
                key = null;
                expired++;
                if (!passive && random.nextInt(3) == 0) {
                    insertOne();
                    removeOne();
                }
            }
        }
    }
}
