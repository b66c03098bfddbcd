package dev.kumihimo.test;

/** The strategies that come with the kit, and how choices are written down. */
final class Strategies {
    private static final String PREFIX = "k1:";
    private static final int DIGITS = 35; // '0' to 'y'; 'z' begins a decimal number, which a dot ends

    private Strategies() {}

    static void write(StringBuilder trace, int choice) {
        if (choice < DIGITS) {
            trace.append(Character.forDigit(choice, Character.MAX_RADIX));
        } else {
            trace.append('z').append(choice).append('.');
        }
    }

    static String trace(CharSequence choices) {
        return PREFIX + choices;
    }

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
    }

    static final class Random implements Strategy {
        private final Rng choices;
        private final Rng draws;

        Random(long seed) {
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
    }

    static final class Replay implements Strategy {
        private final String trace;
        private int at = PREFIX.length();

        Replay(String trace) {
            if (!trace.startsWith(PREFIX)) {
                throw new IllegalArgumentException("trace=" + trace + " must begin with " + PREFIX);
            }
            this.trace = trace;
        }

        @Override
        public int choose(Choice choice) {
            return next(choice.size());
        }

        @Override
        public int draw(int bound) {
            return next(bound);
        }

        private int next(int bound) {
            if (at >= trace.length()) {
                return 0;
            }
            int begin = at++;
            char first = trace.charAt(begin);
            int choice;
            if (first == 'z') {
                int dot = trace.indexOf('.', at);
                choice = Integer.parseInt(trace, at, dot, 10);
                at = dot + 1;
            } else {
                choice = Character.digit(first, Character.MAX_RADIX);
            }
            if (choice < 0 || choice >= bound) {
                throw new IllegalStateException("the run has left its record at character " + begin + ", where it says "
                        + choice + " and there are " + bound + " to choose from: it depends on more than the order");
            }
            return choice;
        }
    }
}
