/**
 * The wait room: every wait of every primitive passes through {@link dev.kumihimo.internal.wait.Wait}, which parks, and is
 * decided once, by a grant, a cancellation, an interrupt or a deadline. It knows of no runtime, no timer wheel, no channel.
 */
@NullMarked
package dev.kumihimo.internal.wait;

import org.jspecify.annotations.NullMarked;
