/**
 * What the operating system tells the process: {@link dev.kumihimo.signal.Signal}, to be waited for as anything else is, and
 * {@link dev.kumihimo.signal.Service}, a program that ends in order when it is told to.
 */
@NullMarked
package dev.kumihimo.signal;

import org.jspecify.annotations.NullMarked;
