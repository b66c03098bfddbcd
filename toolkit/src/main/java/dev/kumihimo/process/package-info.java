/**
 * Run commands: {@link dev.kumihimo.process.Command} says what to run, {@link dev.kumihimo.process.Child} is what runs. Waiting
 * for a child and for its pipes holds no carrier and no thread of the blocking pool, and a child that is closed is gone.
 */
@NullMarked
package dev.kumihimo.process;

import org.jspecify.annotations.NullMarked;
