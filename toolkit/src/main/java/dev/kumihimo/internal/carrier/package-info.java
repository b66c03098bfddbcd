/**
 * What runs tasks: the carriers and their scheduler, the sentinel that watches them, the blocking pool, the registry of live
 * tasks. It knows of no primitive.
 */
@NullMarked
package dev.kumihimo.internal.carrier;

import org.jspecify.annotations.NullMarked;
