/** The runtime that tasks run on, its builder and options. */
@NullMarked
package dev.kumihimo.runtime;

import org.jspecify.annotations.NullMarked;
