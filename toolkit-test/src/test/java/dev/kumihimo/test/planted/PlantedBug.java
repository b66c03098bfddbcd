package dev.kumihimo.test.planted;

import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.test.TestRuntime;

/**
 * A bug, and what it takes to find it.
 *
 * @param name what is wrong
 * @param seed the first seed that finds it, counted from 0: a regression
 * @param schedules how many schedules {@link PlantedBugsTest#explore} may need
 * @param bound with how many preemptions the bounded search finds it, and not with fewer
 * @param scenario a program that makes what it needs anew, and fails only by the bug
 */
record PlantedBug(String name, long seed, int schedules, int bound, Scenario scenario) {
    /** Run as the main task, with the bug or without. */
    interface Scenario {
        void run(boolean broken) throws Exception;
    }

    VoidBody<?> body(boolean broken) {
        return () -> scenario.run(broken);
    }

    /** Runs it once. */
    void runWith(long seed, boolean broken) throws Exception {
        run(TestRuntime.seeded(seed), broken);
    }

    /** Runs it once in order, which initialises all classes: in an initialiser nobody can be switched. */
    void warmUp() throws Exception {
        run(TestRuntime.fifo(), false);
    }

    private void run(TestRuntime runtime, boolean broken) throws Exception {
        try (TestRuntime test = runtime) {
            test.run(body(broken));
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
