/**
 * Timers and readiness: what an idle carrier waits on. Entry types, in reading order: {@link
 * dev.kumihimo.internal.driver.TimerEntry}, {@code TimerWheel}.
 */
@NullMarked
package dev.kumihimo.internal.driver;

import org.jspecify.annotations.NullMarked;
