/**
 * The toolkit's own primitives in all schedules of two preemptions: two or three tasks, an operation or two each, and what
 * must hold whoever comes first.
 */
package dev.kumihimo.test.primitives;
