/**
 * A network in memory, in virtual time, with faults that a seed determines. {@link dev.kumihimo.test.net.SimNet} is the
 * entrance.
 */
@NullMarked
package dev.kumihimo.test.net;

import org.jspecify.annotations.NullMarked;
