/**
 * Share things between tasks: {@link dev.kumihimo.sync.Semaphore}, {@link dev.kumihimo.sync.Mutex},
 * {@link dev.kumihimo.sync.RwLock}; tell of things: {@link dev.kumihimo.sync.Notify}, {@link dev.kumihimo.sync.SetOnce}; do
 * things once or together: {@link dev.kumihimo.sync.OnceCell}, {@link dev.kumihimo.sync.Barrier}. Waiting itself is the wait
 * room's; nothing here parks.
 */
@NullMarked
package dev.kumihimo.sync;

import org.jspecify.annotations.NullMarked;
