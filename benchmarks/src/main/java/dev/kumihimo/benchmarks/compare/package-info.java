/**
 * The parts of {@link dev.kumihimo.benchmarks.Compare}: what is measured and against which target, how the columns'
 * programs are built and run, and how medians and ratios are reported.
 */
@NullMarked
package dev.kumihimo.benchmarks.compare;

import org.jspecify.annotations.NullMarked;
