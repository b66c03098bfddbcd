package dev.kumihimo.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.time.DelayQueue.Key;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The heap against a sorted set. */
class DelayHeapTest {
    private static final int GONE = -7;

    private final DelayCore core = new DelayCore(new VirtualTimers());
    private final DelayHeap heap = new DelayHeap();
    private final TreeSet<Key> model =
            new TreeSet<>(Comparator.<Key>comparingLong(k -> k.time).thenComparingLong(k -> k.order));
    private long orders;

    private Key key(long time) {
        Key key = new Key(core, "value");
        key.time = time;
        key.order = orders++;
        return key;
    }

    private void add(long time) {
        Key key = key(time);
        heap.add(key);
        model.add(key);
    }

    private void ensureSame() {
        assertThat(heap.size()).isEqualTo(model.size());
        assertThat(heap.peek()).isSameAs(model.isEmpty() ? null : model.first());
        long places = model.stream().map(k -> k.index).distinct().count();
        assertThat(places).isEqualTo(model.size());
        assertThat(model).allMatch(k -> k.index >= 0 && k.index < model.size());
    }

    @Test
    void heap_isASortedSet_inWhichAnyKeyMoves() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<Key> keys = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            int size = model.size();
            switch (size < 60 ? random.nextInt(size == 0 ? 1 : 5) : 3 + random.nextInt(2)) {
                case 0, 1 -> add(random.nextInt(40));
                case 2 -> {
                    Key key = pick(keys, random);
                    model.remove(key);
                    key.time = random.nextInt(40);
                    key.order = orders++;
                    model.add(key);
                    heap.moved(key);
                }
                case 3 -> removed(pick(keys, random));
                default -> removed(model.first());
            }
            ensureSame();
        }
        while (!model.isEmpty()) {
            removed(model.first());
            ensureSame();
        }
        assertThat(heap.peek()).as("seed %d", seed).isNull();
    }

    private Key pick(List<Key> keys, Random random) {
        keys.clear();
        keys.addAll(model);
        return keys.get(random.nextInt(keys.size()));
    }

    private void removed(Key key) {
        model.remove(key);
        heap.remove(key, GONE);
        assertThat(key.index).isEqualTo(GONE);
    }

    @Test
    void clear_takesAllOut_andTheHeapGoesOn() {
        for (int i = 100; i > 0; i--) {
            add(i);
        }
        heap.clear(GONE);
        assertThat(model).allMatch(k -> k.index == GONE && k.value == null);
        model.clear();
        ensureSame();
        add(3);
        add(1);
        ensureSame();
    }
}
