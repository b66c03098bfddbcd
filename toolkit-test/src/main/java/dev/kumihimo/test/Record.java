package dev.kumihimo.test;

import dev.kumihimo.internal.wait.Points;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/*
 * Form: for each choice whole numbers: its kind, how many there were to choose from, the index chosen; then, unless it was a
 * draw, the numbers of the tasks, up to SHOWN of them; and if there were more, 16 bits of a hash over all.
 */

/** What was chosen and what ran, in order. Written by the carrier, read by whoever drives. */
final class Record {
    /** A choice among tasks after one has parked, yielded or ended. */
    static final int AFTER_RUN = 0;

    /** A choice that is not of tasks. */
    static final int DRAW = 1;

    /** The first kind of point; the others follow in their order. */
    private static final int POINT = 2;

    private static final int SHOWN = 8;
    private static final Points.Kind[] POINTS = Points.Kind.values();

    private int[] numbers = new int[64];
    private int length;
    private int choices;
    private long data;
    private long hash = 0xcbf29ce484222325L; // FNV-1a, over whole numbers

    /** One choice, read back. */
    record Choice(int kind, int size, int index, List<Integer> tasks, int check) {
        boolean isPreemption() {
            return kind >= POINT && index > 0;
        }

        @Override
        public String toString() {
            return kind == DRAW ? "a draw of " + size : kindName(kind) + " " + (size > SHOWN ? tasks + "..." : tasks);
        }
    }

    static int kindOf(Points.Kind point) {
        return POINT + point.ordinal();
    }

    static String kindName(int kind) {
        if (kind == AFTER_RUN) {
            return "after a run";
        }
        int point = kind - POINT;
        return kind == DRAW ? "a draw" : "at " + (point < POINTS.length ? POINTS[point] : "a point");
    }

    /** Tells it which seed the data of the run come from. */
    void data(long seed) {
        data = seed;
    }

    private void mix(long value) {
        hash = (hash ^ value) * 0x100000001b3L;
    }

    private void add(int number) {
        if (length == numbers.length) {
            numbers = Arrays.copyOf(numbers, 2 * length);
        }
        numbers[length++] = number;
    }

    void choice(Ready ready, int index) {
        int size = ready.size();
        begin(ready.kind(), size, index);
        int shown = Math.min(size, SHOWN);
        for (int i = 0; i < shown; i++) {
            add(ready.task(i));
        }
        if (size > SHOWN) {
            add(check(ready));
        }
    }

    void draw(int bound, int drawn) {
        begin(DRAW, bound, drawn);
    }

    private void begin(int kind, int size, int index) {
        choices++;
        add(kind);
        add(size);
        add(index);
        mix(~(((long) size << 36) + ((long) index << 4) + kind));
    }

    void ran(int id) {
        mix(id);
    }

    /** {@return 16 bits that tell one set of ready tasks from another} */
    static int check(Ready ready) {
        int hash = 0;
        for (int i = 0, size = ready.size(); i < size; i++) {
            hash = 31 * hash + ready.task(i);
        }
        return (hash ^ hash >>> 16) & 0xffff;
    }

    long hash() {
        return hash;
    }

    /** {@return how many choices there were} */
    int choices() {
        return choices;
    }

    /** {@return at how many points another task was chosen} */
    int preemptions() {
        return (int) list().stream().filter(Choice::isPreemption).count();
    }

    /** {@return what was drawn, in order} */
    List<Integer> drawn() {
        return list().stream()
                .filter(choice -> choice.kind == DRAW)
                .map(Choice::index)
                .toList();
    }

    /** {@return what it holds now, and will hold} */
    Record copy() {
        Record copy = new Record();
        copy.numbers = Arrays.copyOf(numbers, length + 1);
        copy.length = length;
        copy.choices = choices;
        copy.hash = hash;
        copy.data = data;
        return copy;
    }

    List<Choice> list() {
        return read(numbers, length);
    }

    String trace() {
        return Traces.encode(data, numbers, length);
    }

    /**
     * {@return the choices that were written down}
     *
     * @throws IllegalArgumentException if they were not
     */
    static List<Choice> read(int[] numbers, int length) {
        List<Choice> list = new ArrayList<>();
        int at = 0;
        try {
            while (at < length) {
                int kind = numbers[at++];
                int size = numbers[at++];
                int index = numbers[at++];
                List<Integer> tasks = new ArrayList<>();
                int check = 0;
                if (kind != DRAW) {
                    for (int i = 0; i < Math.min(size, SHOWN); i++) {
                        tasks.add(numbers[at++]);
                    }
                    check = size > SHOWN ? numbers[at++] : 0;
                }
                if (at > length || index < 0 || index >= size || kind < 0) {
                    throw new IllegalArgumentException("choice " + (list.size() + 1) + " is damaged");
                }
                list.add(new Choice(kind, size, index, tasks, check));
            }
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("choice " + (list.size() + 1) + " is cut off", e);
        }
        return list;
    }

    /** Whether what there is to choose from is what there was. */
    static boolean matches(Choice expected, Strategy.Choice now) {
        int size = now.size();
        if (expected.size != size || expected.kind == DRAW) {
            return false;
        }
        for (int i = 0; i < expected.tasks.size(); i++) {
            if (expected.tasks.get(i) != now.task(i)) {
                return false;
            }
        }
        return !(now instanceof Ready ready)
                || expected.kind == ready.kind() && (size <= SHOWN || expected.check == check(ready));
    }
}
