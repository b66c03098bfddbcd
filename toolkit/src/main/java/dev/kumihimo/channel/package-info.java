/**
 * Hand items from task to task: {@link dev.kumihimo.channel.Channel}. Waiting itself is the wait room's; nothing here parks.
 */
@NullMarked
package dev.kumihimo.channel;

import org.jspecify.annotations.NullMarked;
