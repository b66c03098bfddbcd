/** Sets of tasks that belong together: {@link dev.kumihimo.task.JoinSet}. Single tasks are the runtime's. */
@NullMarked
package dev.kumihimo.task;

import org.jspecify.annotations.NullMarked;
