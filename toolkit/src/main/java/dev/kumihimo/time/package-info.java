/**
 * Bound things in time, {@link dev.kumihimo.time.Timeout} and the {@link dev.kumihimo.time.Deadline} that it sets, and do them
 * in time: {@link dev.kumihimo.time.Interval}, {@link dev.kumihimo.time.DelayQueue}, and for what comes from a channel
 * {@link dev.kumihimo.time.Throttle} and {@link dev.kumihimo.time.Debounce}. The clock and the timers are the runtime's.
 */
@NullMarked
package dev.kumihimo.time;

import org.jspecify.annotations.NullMarked;
