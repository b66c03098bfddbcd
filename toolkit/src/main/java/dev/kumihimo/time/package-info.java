/** Bound things in time: {@link dev.kumihimo.time.Timeout}. The clock and the timers are the runtime's. */
@NullMarked
package dev.kumihimo.time;

import org.jspecify.annotations.NullMarked;
