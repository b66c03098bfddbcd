/**
 * What a peer does, in a test: {@link dev.kumihimo.test.net.ScriptedStream} plays a script;
 * {@link dev.kumihimo.test.net.SimNet} is a network in memory, in virtual time, with faults that a seed determines.
 */
@NullMarked
package dev.kumihimo.test.net;

import org.jspecify.annotations.NullMarked;
