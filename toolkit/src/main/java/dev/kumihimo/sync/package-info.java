/** Share things between tasks with {@link dev.kumihimo.sync.Semaphore}. Waiting itself is the wait room's; nothing here parks. */
@NullMarked
package dev.kumihimo.sync;

import org.jspecify.annotations.NullMarked;
