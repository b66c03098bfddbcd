package dev.kumihimo.test.planted;

import static dev.kumihimo.test.planted.PlantedBug.check;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** What is calculated wrongly: any schedule shows it, or any in which a reader is late enough. */
final class BrokenSums {
    private BrokenSums() {}

    /* ---------------- A ring that overwrites ---------------- */

    private static final class Ring {
        private static final int CAPACITY = 2;

        private final int[] items = new int[CAPACITY];
        private int sent;
        private int next;
        private int missed;

        void send(int item) {
            items[sent++ % CAPACITY] = item;
        }

        int receive(boolean broken) {
            int oldest = sent - CAPACITY + (broken ? 1 : 0); // the bug: one more is still there
            if (next < oldest) {
                missed += oldest - next;
                next = oldest;
            }
            return items[next++ % CAPACITY];
        }
    }

    static void lagCountedOneTooHigh(boolean broken) {
        for (int sent = 1; sent < 5; sent++) {
            Ring ring = new Ring();
            for (int i = 0; i < sent; i++) {
                ring.send(i);
            }
            int first = ring.receive(broken);
            check(
                    first == Math.max(0, sent - Ring.CAPACITY) && ring.missed == first,
                    "of " + sent + " the first is " + first + ", missed " + ring.missed);
        }
    }

    /* ---------------- Frames ---------------- */

    private static final int HEADER = 4;
    private static final int LONGEST = 1 << 20;

    /** The length of a frame that is not there yet, or its end in the buffer. */
    private static int endOfFrame(ByteBuffer buffer, boolean broken) {
        int length = buffer.getInt(0);
        if (broken) {
            int end = length + HEADER; // the bug: it may be negative
            if (end > LONGEST) {
                throw new IllegalArgumentException("length=" + length);
            }
            return end;
        }
        if (length < 0 || length > LONGEST - HEADER) {
            throw new IllegalArgumentException("length=" + length);
        }
        return length + HEADER;
    }

    static void lengthOverflows(boolean broken) {
        for (int length :
                new int[] {0, 1, LONGEST - HEADER, LONGEST, Integer.MAX_VALUE - HEADER, Integer.MAX_VALUE, -1}) {
            ByteBuffer buffer = ByteBuffer.allocate(HEADER).putInt(0, length);
            try {
                int end = endOfFrame(buffer, broken);
                check(end >= HEADER && end <= LONGEST, "a frame of length " + length + " ends at " + end);
            } catch (IllegalArgumentException e) {
                check(length < 0 || length > LONGEST - HEADER, "refused: " + length);
            }
        }
    }

    /* ---------------- A timer wheel ---------------- */

    /** Two levels of four slots: 16 ticks. */
    private static final class Wheel {
        private static final int SLOTS = 4;

        private final boolean broken;
        private final List<List<int[]>> near = slots();
        private final List<List<int[]>> far = slots();
        private int now;

        Wheel(boolean broken) {
            this.broken = broken;
        }

        private static List<List<int[]>> slots() {
            List<List<int[]>> slots = new ArrayList<>();
            for (int i = 0; i < SLOTS; i++) {
                slots.add(new ArrayList<>());
            }
            return slots;
        }

        /** @param timer its tick, and when it fired */
        void insert(int[] timer) {
            if (timer[0] / SLOTS == now / SLOTS) {
                near.get(timer[0] % SLOTS).add(timer);
            } else {
                far.get(timer[0] / SLOTS % SLOTS).add(timer);
            }
        }

        void advance(int to) {
            while (now < to) {
                now++;
                if (now % SLOTS == 0 && !(broken && to - now >= SLOTS)) { // the bug: a long step passes a whole block
                    List<int[]> block = List.copyOf(far.get(now / SLOTS % SLOTS));
                    far.get(now / SLOTS % SLOTS).clear();
                    block.forEach(this::insert);
                }
                near.get(now % SLOTS).forEach(timer -> timer[1] = now);
                near.get(now % SLOTS).clear();
            }
        }
    }

    static void cascadeSkipped(boolean broken) {
        for (int step = 1; step < 16; step++) {
            Wheel wheel = new Wheel(broken);
            List<int[]> timers = new ArrayList<>();
            for (int tick = 1; tick < 16; tick++) {
                int[] timer = {tick, 0};
                timers.add(timer);
                wheel.insert(timer);
            }
            for (int now = step; now < 16 + step; now += step) {
                wheel.advance(Math.min(now, 15));
            }
            for (int[] timer : timers) {
                check(timer[1] == timer[0], "due at " + timer[0] + ", fired at " + timer[1] + ", steps of " + step);
            }
        }
    }
}
