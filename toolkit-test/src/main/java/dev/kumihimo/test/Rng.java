package dev.kumihimo.test;

/**
 * A source of numbers that a seed determines for ever: SplitMix64 (Steele, Lea, Flood 2014), which is part of the contract,
 * so that a seed printed by one version, JDK or machine replays on every other.
 *
 * <pre>{@code
 * Rng rng = Rng.of(0x7d1e03);
 * int items = 1 + rng.nextInt(10);
 * }</pre>
 *
 * <p>Not thread-safe.
 *
 * @since 0.1
 */
public final class Rng {
    private static final long GAMMA = 0x9e3779b97f4a7c15L;

    private long state;

    private Rng(long seed) {
        state = seed;
    }

    /**
     * {@return a source that begins at a seed}
     *
     * @param seed any number
     */
    public static Rng of(long seed) {
        return new Rng(seed);
    }

    /** {@return the next number, all values being equally likely} */
    public long nextLong() {
        state += GAMMA;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /**
     * {@return a number from 0: the upper half of {@link #nextLong()}, scaled by a multiplication}
     *
     * @param bound one above the highest, at least 1
     * @throws IllegalArgumentException if the bound is below 1
     */
    public int nextInt(int bound) {
        if (bound < 1) {
            throw new IllegalArgumentException("bound=" + bound + " must be at least 1");
        }
        return (int) (((nextLong() >>> 32) * bound) >>> 32);
    }

    /** {@return a source of its own, which begins where the next number of this one says} */
    public Rng split() {
        return new Rng(nextLong());
    }
}
