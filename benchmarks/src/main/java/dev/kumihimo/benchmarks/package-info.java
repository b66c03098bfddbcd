/**
 * The comparison with other runtimes: {@link dev.kumihimo.benchmarks.Compare} starts every column's program in turn,
 * round after round, and reports medians and ratios.
 */
@NullMarked
package dev.kumihimo.benchmarks;

import org.jspecify.annotations.NullMarked;
