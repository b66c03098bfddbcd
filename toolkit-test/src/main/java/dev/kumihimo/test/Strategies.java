package dev.kumihimo.test;

/** The strategies that come with the kit. */
final class Strategies {
    /** After how many choices one that may run a loop for ever becomes fair, and one that is fair but for its switches. */
    static final int UNFAIR_CHOICES = 10_000;

    static final int FAIR_CHOICES = 100_000;

    private Strategies() {}

    /** First ready, first run. */
    static final class Fifo implements Strategy {
        private final Rng draws = Rng.of(0);

        @Override
        public int choose(Choice choice) {
            return 0;
        }

        @Override
        public int draw(int bound) {
            return draws.nextInt(bound);
        }

        @Override
        public String toString() {
            return "Strategy.fifo()";
        }
    }

    /** Last ready, first run; but those that have yielded want others to run. */
    static final class Lifo implements Strategy {
        private final Rng draws = Rng.of(0);

        @Override
        public int choose(Choice choice) {
            int newest = choice.canGoOn() ? 0 : choice.size() - 1;
            while (newest > 0 && choice.yields(newest) > 0) {
                newest--;
            }
            return newest; // if all have yielded, the one that did so first
        }

        @Override
        public int draw(int bound) {
            return draws.nextInt(bound);
        }

        @Override
        public String toString() {
            return "Strategy.lifo()";
        }
    }

    /** One after the other by their numbers, each up to its next point. */
    static final class RoundRobin implements Strategy {
        private final Rng draws = Rng.of(0);

        @Override
        public int choose(Choice choice) {
            int best = 0;
            long bestTurn = Long.MAX_VALUE;
            for (int i = 0, size = choice.size(); i < size; i++) {
                long task = choice.task(i);
                long turn = task > choice.last() ? task : task + Integer.MAX_VALUE; // this round, or the next
                if (turn < bestTurn) {
                    best = i;
                    bestTurn = turn;
                }
            }
            return best;
        }

        @Override
        public int draw(int bound) {
            return draws.nextInt(bound);
        }

        @Override
        public String toString() {
            return "Strategy.roundRobin()";
        }
    }

    /** All equally likely. */
    static final class Random implements Strategy {
        private final long seed;
        private final Rng choices;
        private final Rng draws;

        Random(long seed) {
            this.seed = seed;
            Rng root = Rng.of(seed);
            choices = root.split(); // a stream for each purpose: more of one does not shift the other
            draws = root.split();
        }

        @Override
        public int choose(Choice choice) {
            return choices.nextInt(choice.size());
        }

        @Override
        public int draw(int bound) {
            return draws.nextInt(bound);
        }

        @Override
        public String toString() {
            return "Strategy.random(" + Seeds.show(seed) + "L)";
        }
    }

    /** Another one up to a number of choices, and from then on the first ready first, so that what waits for others ends. */
    static final class Bounded implements Strategy {
        private final Strategy strategy;
        private int left;

        Bounded(Strategy strategy, int choices) {
            this.strategy = strategy;
            this.left = choices;
        }

        @Override
        public int choose(Choice choice) {
            if (left == 0) {
                return 0;
            }
            left--;
            return strategy.choose(choice);
        }

        @Override
        public int draw(int bound) {
            return strategy.draw(bound);
        }

        @Override
        public String toString() {
            return strategy.toString();
        }
    }
}
