package dev.kumihimo.test;

import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: bounded search over the choices of a run, by running it again from the start each time (CHESS, Musuvathi and
 * Qadeer 2007), bound after bound. What there is to choose from has ranks: first those that cost nothing, then those that cost
 * a switch. A schedule is its places where another than the first rank was chosen. Each run extends its schedule by one such
 * place, behind the last, in all ways there are: one that costs makes one of the next bound, all others one of this. So each
 * schedule is made exactly once, by the one that lacks its last place, and those of a bound before any of the next.
 * What costs: at a point all but to go on. Elsewhere to run one that has yielded again and again, and nothing else, before
 * those that have not; and if there are only such, all but the one that has been ready longest. It waits for others, which are
 * to run; else a loop that yields would be unrolled without an end (fairness as of Musuvathi and Qadeer 2008, but counted by
 * task).
 * Garbage: schedules to come share their beginnings. There are never more of them kept than may still be run.
 */

/** The search through all schedules with a bounded number of switches at points. */
final class Preemptions {
    private final int bound;
    private final int most;
    private final ArrayDeque<Place> now = new ArrayDeque<>(); // the one put last comes first, which keeps it small
    private final ArrayDeque<Place> later = new ArrayDeque<>();
    private int level;
    private int begun;
    private int exhausted = -1;
    private boolean cutNow; // not all schedules of this bound are kept
    private boolean cutLater; // nor all of the next

    /**
     * Begins a search.
     *
     * @param bound how many switches at points there may be
     * @param most how many schedules will be run at most
     */
    Preemptions(int bound, int most) {
        this.bound = bound;
        this.most = most;
        now.add(new Place(null, -1, 0, 0, 0));
    }

    /** The last place of a schedule where another than the first rank is chosen, and the schedule without it. */
    private record Place(@Nullable Place before, int at, int rank, int size, int free) {
        boolean preempts() {
            return rank >= free;
        }
    }

    /** {@return the strategy of the next schedule, or null if there is none within the bound} */
    @Nullable
    Path next() {
        if (now.isEmpty()) {
            exhausted = exhausted();
            if (later.isEmpty() || level == bound) {
                return null;
            }
            level++;
            cutNow |= cutLater;
            now.addAll(later);
            later.clear();
        }
        begun++;
        return new Path(now.removeLast());
    }

    /** Takes in what a run has found: all schedules that go on from it. */
    void extend(Path path) {
        Place last = path.last;
        for (int at = path.length - 1; at > last.at; at--) {
            int free = path.frees[at];
            for (int rank = (level == bound ? free : path.sizes[at]) - 1; rank > 0; rank--) {
                keep(new Place(last, at, rank, path.sizes[at], free));
            }
        }
        cutNow |= path.length == Path.LONGEST;
    }

    private void keep(Place place) {
        boolean full = now.size() + later.size() >= most - begun;
        if (place.preempts()) {
            cutLater |= full;
            if (!full) {
                later.addLast(place);
            }
            return;
        }
        if (full) {
            if (later.pollLast() == null) {
                cutNow = true;
                return;
            }
            cutLater = true; // this bound first
        }
        now.addLast(place);
    }

    /** {@return how many switches at points the schedule that was begun last has} */
    int level() {
        return level;
    }

    /** {@return the highest bound all schedules of which were run, or -1; call it when the last one begun has been extended} */
    int exhausted() {
        if (cutNow || !now.isEmpty()) {
            return exhausted;
        }
        return later.isEmpty() && !cutLater
                ? bound
                : level; // nothing left means that there are no more switches to make
    }

    /** One schedule; it notes what it might have chosen behind its last place. */
    static final class Path implements Strategy {
        private static final int LONGEST = Strategies.UNFAIR_CHOICES;

        /** One yield lets others run; two in a row are a loop. */
        private static final int YIELDS_OF_ONE_WHO_WAITS = 2;

        private final Place last;
        private final Place[] places; // in order, but for the root
        private int nextPlace;
        private int length;
        private int[] sizes = new int[32];
        private int[] frees = new int[32]; // how many of them cost nothing

        private Path(Place last) {
            this.last = last;
            int count = 0;
            for (Place place = last; place.before != null; place = place.before) {
                count++;
            }
            places = new Place[count];
            for (Place place = last; place.before != null; place = place.before) {
                places[--count] = place;
            }
        }

        /** {@return the same schedule, not begun} */
        Path again() {
            return new Path(last);
        }

        @Override
        public int choose(Choice choice) {
            if (length == LONGEST) {
                return 0;
            }
            int size = choice.size();
            if (choice.canGoOn()) {
                return next(size, 1);
            }
            int free = 0;
            for (int i = 0; i < size; i++) {
                free += isWaiting(choice, i) ? 0 : 1;
            }
            return free == 0 ? next(size, 1) : index(choice, next(size, free), free);
        }

        private static boolean isWaiting(Choice choice, int index) {
            return choice.yields(index) >= YIELDS_OF_ONE_WHO_WAITS;
        }

        /** {@return which one a rank is: first those that do not wait for others, each in their order} */
        private static int index(Choice choice, int rank, int free) {
            if (free == choice.size()) {
                return rank;
            }
            boolean waiting = rank >= free;
            int before = waiting ? rank - free : rank;
            int index = 0;
            while (isWaiting(choice, index) != waiting || before-- > 0) {
                index++;
            }
            return index;
        }

        @Override
        public int draw(int bound) {
            return length == LONGEST ? 0 : next(bound, bound);
        }

        private int next(int size, int free) {
            if (length == sizes.length) {
                sizes = Arrays.copyOf(sizes, 2 * length);
                frees = Arrays.copyOf(frees, 2 * length);
            }
            int at = length++;
            sizes[at] = size;
            frees[at] = free;
            if (nextPlace == places.length || places[nextPlace].at > at) {
                return 0;
            }
            Place place = places[nextPlace++];
            if (place.size != size || place.free != free) {
                throw new Divergence("diverged from an earlier schedule at choice " + (at + 1) + ": there were "
                        + place.size + " to choose from, and are now " + size
                        + ". The code depends on more than the order");
            }
            return place.rank;
        }

        @Override
        public String toString() {
            long switches = Arrays.stream(places).filter(Place::preempts).count();
            return "Explore.preemptions, a schedule with " + switches + " switches at points";
        }
    }
}
