package dev.kumihimo.test;

/**
 * Tasks that an {@link AsyncTest} waits for, as a parameter of it.
 *
 * <pre>{@code
 * @AsyncTest(schedules = 1_000)
 * void transferKeepsTheSum(TestScope tasks) {
 *     Bank bank = new Bank();
 *     tasks.spawn(() -> bank.transfer("a", "b", 10));
 *     tasks.spawn(() -> bank.transfer("b", "a", 20));
 *     ...                                           // here ends the body, and the test waits for both
 * }
 * }</pre>
 *
 * <p>When the body has returned, the test waits for all tasks, those included that they spawn here; the first failure then
 * aborts the others. It fails with the first failure of a task that nobody has joined, the others suppressed in it, also if the
 * body has come to a deadlock by it. If the body throws, the tasks are aborted and waited for. Joining a task means to have seen
 * its failure.
 *
 * @since 0.1
 */
public final class TestScope extends SpawnScope {
    TestScope(TestRuntime test) {
        super(test, false);
    }
}
