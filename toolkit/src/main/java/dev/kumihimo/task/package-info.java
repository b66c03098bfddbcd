/**
 * Tasks that belong together: in a {@link dev.kumihimo.task.JoinSet} or {@link dev.kumihimo.task.JoinMap}, for a result of all in
 * {@link dev.kumihimo.task.Tasks}, counted by a {@link dev.kumihimo.task.TaskTracker}, stopped by a
 * {@link dev.kumihimo.task.CancellationToken}. Single tasks are the runtime's.
 */
@NullMarked
package dev.kumihimo.task;

import org.jspecify.annotations.NullMarked;
