package dev.kumihimo.test;

/**
 * A place in the path of a task at which a {@link TestRuntime} can stop it, or let another run.
 *
 * <pre>{@code
 * test.onPoint(point -> System.out.println(point));
 * }</pre>
 *
 * @param task the task that reached it
 * @param number its number among the points of that task, from 1
 * @param kind what the task is about to do, or has done: {@code LOCK} (it is about to take a lock), {@code UNLOCK} (it has
 *     given back the last it held), {@code PARK} (it is about to park), {@code RESUME} (its wait is decided), {@code WAKE} (it
 *     has decided another's wait, and is about to wake it), {@code CANCEL} (it is about to cancel, or has just marked, a
 *     region)
 * @param at the lock, wait or region, for reading
 * @since 0.1
 */
public record Point(String task, long number, String kind, String at) {}
