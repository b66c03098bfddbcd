/**
 * Runs tasks in an order that a test determines, in time that costs none. With JUnit Jupiter, {@link dev.kumihimo.test.AsyncTest}
 * is the entrance, and without it {@link dev.kumihimo.test.TestRuntime}; {@link dev.kumihimo.test.Explore} runs a body under many
 * orders; {@link dev.kumihimo.test.Strategy} is what an order is made of. {@link dev.kumihimo.test.net} has networks in memory.
 *
 * <h2>What is promised</h2>
 *
 * <ul>
 *   <li>One task runs at a time. What is ready, and that nothing is, are facts, not samples.
 *   <li>The same seed gives the same schedule, on every JDK and machine, as long as nothing comes from outside: threads that are
 *       no tasks, blocking jobs, JDK waits with a time before Java 25, monitors (and {@code Thread.join} of a virtual thread, on 27), which a
 *       thread of the JDK hands on. {@link dev.kumihimo.test.TestRuntime#outsideWakes()} counts these.
 *   <li>The clock moves only when nothing is ready, no blocking job runs and no thread sleeps in the JDK; it jumps to the next
 *       deadline, only what is due then expires, in the order of arming, and all of it runs until nothing is ready before the
 *       next. The timers are those of production, and rounded up to whole milliseconds.
 *   <li>A task whose wait nothing can end is a failure at once, and told with what every live task waits for. Where something
 *       from outside may come, one second of real time is waited for it first: where a thread waits in the JDK or for a socket,
 *       where a thread outside has woken one before, and while the JDK's common pool has something to do.
 *   <li>Tasks that wait for each other (for a mutex, a lock, a task's or a set's end, a value in the making), with no deadline
 *       among them, are a failure as soon as the last of them waits, also while timers run. So is, when nothing is ready, a task
 *       that waits for what is there: a lost wakeup, of a primitive that is broken.
 *   <li>Interrupts that cancellation sends are delivered by a task of its own, {@code interrupter}, which is scheduled as all
 *       others are.
 * </ul>
 *
 * <p>Not covered: races on plain fields between two points, and memory order (one carrier sees all writes in order).
 *
 * <h2>What waits outside of the toolkit</h2>
 *
 * <ul>
 *   <li>Blocking jobs: the clock stands until the last has ended.
 *   <li>Waits of the JDK without a time, as of its locks and queues: under control as all else is. Monitors too, on Java 24 and
 *       later; the thread of the JDK that hands them on is waited for, and the clock stands.
 *   <li>Waits of the JDK for a time: in real time, and the clock stands; on Java 25 and later in an order that is replayed. See
 *       {@link dev.kumihimo.test.JdkTimers}.
 *   <li>Real sockets, of the toolkit and of the JDK: see {@link dev.kumihimo.test.ExternalIo}.
 *   <li>A task that waits and cannot leave the carrier, in a class initialiser, a native frame or, on Java 21 to 23, inside {@code
 *       synchronized}: the run fails within a second and tells where. One that blocks in the kernel, as a read of a file does,
 *       looks like one that computes; should it never end, that is told at the limit of real time.
 *   <li>What is woken by a thread that is none of the runtime's: told with that thread's name, since a replay need not repeat it.
 *   <li>{@code System.nanoTime()} and the like are real time wherever they are called.
 * </ul>
 *
 * <h2>What ends a run that goes nowhere</h2>
 *
 * <p>A million runs of tasks in one drive ({@code maxSteps}); ten thousand in a row that do nothing but yield, if no deadline is
 * left, else time passes; a deadline beyond the {@code virtualLimit}; 30 s of real time ({@code limit}). What is aborted at the
 * end has 5 s of virtual time and 100,000 runs.
 *
 * <p>What a test leaves behind is told by {@link dev.kumihimo.test.TestRuntime#finish}; see {@link dev.kumihimo.test.LeakPolicy}
 * for what that is.
 *
 * <h2>Many schedules</h2>
 *
 * <p>{@link dev.kumihimo.test.Explore} has five ways: {@code portfolio(n)}, which is the one to begin with; {@code seeds(n)};
 * {@code pct(n, depth)}; {@code preemptions(bound)}, which says {@code EXHAUSTED} if it has run all there are; and
 * {@code replay(trace)}. A trace has every choice, and what there was to choose from: a run that leaves it says at which choice,
 * what was ready then and what is now, and who woke a task from outside last.
 *
 * <h2>Points</h2>
 *
 * <p>In a JVM that has the kit on its class or module path, and unless the system property {@code kumihimo.test.points} is
 * {@code false}, a task can be switched also in the middle of an operation: before it takes a lock and after it gave back the last it holds,
 * before it parks and after its wait is decided, before it wakes another, and around the mark of a cancellation. So
 * primitives need no code of their own for it. What one does by compare-and-set alone, as a task tracker counts, has no point within,
 * and is whole to a test; tests on real carriers look at that. Without points tasks are switched only where they wait, yield
 * or end, and which branch a select tries first is not replayed.
 *
 * <p>The points of a task are numbered from 1, and addressed by {@code stepTo} (it alone runs) and {@code runTo} (all run).
 * Between two calls all is at rest: nobody holds a lock, and the test does what is to happen just there. So an operation meets
 * an event at each point of its path:
 *
 * <pre>{@code
 * long points;
 * try (TestRuntime dry = TestRuntime.fifo()) {                            // how many are there?
 *     Semaphore semaphore = Semaphore.of(0);
 *     var victim = dry.runtime().spawn(() -> semaphore.acquire());
 *     dry.runUntilIdle();                                                 // it waits
 *     semaphore.release(1);
 *     dry.runUntilIdle();
 *     points = dry.points(victim);
 * }
 * for (long k = 1; k <= points; k++) {
 *     try (TestRuntime test = TestRuntime.fifo()) {
 *         Semaphore semaphore = Semaphore.of(0);
 *         var victim = test.runtime().spawn(() -> semaphore.acquire());
 *         if (!test.stepTo(victim, k)) {                                  // it has parked before its k-th point
 *             semaphore.release(1);                                       // decided, and not resumed
 *             test.stepTo(victim, k);                                     // now it is there
 *         }
 *         victim.abort();                  // or test.interrupt(victim), test.elapse(timeout), semaphore.close(), ...
 *         test.advance(timeout);                                          // whatever follows
 *         // exactly one of: it has the permit; it was cancelled, and the semaphore has it
 *     }
 * }
 * }</pre>
 *
 * <p>Whoever grants can be led in the same way: {@code step(granter)} runs it to its end and leaves the victim granted and not
 * resumed ({@code isDecided(victim) && isReady(victim)}); {@code stepTo(granter, k)} also finds the victim granted and not yet
 * woken ({@code isDecided(victim) && !isReady(victim)}), at a point of kind {@code WAKE}.
 * {@link dev.kumihimo.test.TestRuntime#onPoint} tells which point is which.
 */
@NullMarked
package dev.kumihimo.test;

import org.jspecify.annotations.NullMarked;
