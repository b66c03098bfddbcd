/**
 * Hand items from task to task: {@link dev.kumihimo.channel.Channel} for many, {@link dev.kumihimo.channel.Oneshot} for one.
 * Waiting itself is the wait room's; nothing here parks.
 */
@NullMarked
package dev.kumihimo.channel;

import org.jspecify.annotations.NullMarked;
