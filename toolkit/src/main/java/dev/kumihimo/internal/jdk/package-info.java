/**
 * The only door to what the JDK does not export, or exports in a different shape from version to version. Whatever is
 * behind it is resolved once; where the JDK refuses, callers are told so and have another way.
 */
@NullMarked
package dev.kumihimo.internal.jdk;

import org.jspecify.annotations.NullMarked;
