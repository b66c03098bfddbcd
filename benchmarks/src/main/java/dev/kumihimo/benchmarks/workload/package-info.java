/**
 * The workloads of the Java columns, one class per column, and the small program around them. The Rust and Go columns,
 * in {@code peers}, are written to the same shapes and speak the same protocol.
 */
@NullMarked
package dev.kumihimo.benchmarks.workload;

import org.jspecify.annotations.NullMarked;
