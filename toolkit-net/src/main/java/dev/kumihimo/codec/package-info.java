/**
 * Frames: messages cut out of a stream of bytes, and put into one.
 *
 * <p>Entry type: {@link dev.kumihimo.codec.Codec}.
 */
@NullMarked
package dev.kumihimo.codec;

import org.jspecify.annotations.NullMarked;
