package dev.kumihimo.test;

/**
 * What becomes of a test that leaves something behind, as {@link TestRuntime#finish} finds it.
 *
 * <pre>{@code
 * TestRuntime test = TestRuntime.builder().leaks(LeakPolicy.FAIL).build();
 * Explore.seeds(1_000).configure(builder -> builder.leaks(LeakPolicy.FAIL)).run(body);
 * }</pre>
 *
 * <p>At the end all that is ready runs, with the clock standing. What is told then, each with where it was spawned or made:
 *
 * <ul>
 *   <li><b>Tasks</b> that have not ended, blocking jobs among them, and virtual threads that tasks have started without the
 *       toolkit; with what they wait for. A task that sleeps has not ended. Of what is not ready, only blocking jobs and threads
 *       that sleep in the JDK are waited for, 1 s of real time. Then they are aborted.
 * </ul>
 *
 * <p>All else is looked at when the tasks have ended, so that what they give back as they are aborted is not told:
 *
 * <ul>
 *   <li><b>Failures</b> of tasks that nobody has joined, or asked for their results: those that a runtime logs in production. An
 *       {@link AssertionError} of a task is told also if somebody has joined it, unless it has come out of {@link
 *       TestRuntime#run} too: it was thrown for the test, and somebody has swallowed it. An exception that ends a virtual
 *       thread which the toolkit has not made. What cleanup throws after an abort, unless it has an interruption as a cause.
 *   <li><b>Permits</b> of a {@link dev.kumihimo.sync.Semaphore} that is not closed, if fewer are free than it was made with, less
 *       those that were forgotten. So a semaphore that is used as a signal is not told: what is added counts for what was taken.
 *       What is kept on purpose is to be {@linkplain dev.kumihimo.sync.Semaphore.Permit#forget() forgotten}.
 *   <li><b>Locks</b>: a {@link dev.kumihimo.sync.Mutex} held by a thread that has ended, likewise a {@link
 *       dev.kumihimo.sync.RwLock} held for writing; read guards that are not closed.
 *   <li><b>Items</b> in a channel that was closed, without a cause, and whose receivers, if it has counted ones, were not. Not if
 *       a task had to be aborted, which might have received them; never those in a channel that is open, or in a delay queue.
 *   <li><b>Sockets</b>, listeners, files, lines of a file, and temporary directories that are open; buffers taken from a pool that
 *       is not the shared one. Pipes in memory hold nothing but memory, and are not told.
 *   <li><b>Timers</b> that are armed, and of which no thread that lives is the waiter.
 * </ul>
 *
 * <p>What is not made by a task is the runtime's that the same thread has built last, if that is open: so a semaphore that a
 * test makes before it builds the runtime is not looked at. All that is made is kept until the runtime ends. In a JVM without
 * points (see the package) only tasks, failures that nobody joined, exceptions of threads, and timers are told.
 *
 * @since 0.1
 */
public enum LeakPolicy {
    /** It fails, and the failure tells each with where it was made. */
    FAIL,
    /** It succeeds, and the log tells the same at WARN. */
    WARN,
    /** Nothing is looked at. */
    IGNORE
}
