/**
 * The workloads of the Kumihimo and JDK columns as JMH benchmarks, to look closer at one of them: with profilers,
 * other sizes of heap, other collectors.
 */
@NullMarked
package dev.kumihimo.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
