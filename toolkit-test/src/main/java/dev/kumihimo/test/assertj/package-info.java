/**
 * AssertJ's assertions for tasks, their results and channels. They need {@code org.assertj:assertj-core}, which this artifact does
 * not bring along.
 */
@NullMarked
package dev.kumihimo.test.assertj;

import org.jspecify.annotations.NullMarked;
