/**
 * Frames: messages cut out of a stream of bytes, and put into one.
 *
 * <p>Entry type: {@link dev.kumihimo.codec.Framed}. A {@link dev.kumihimo.codec.Codec} tells how: one of those here, or one's
 * own.
 */
@NullMarked
package dev.kumihimo.codec;

import org.jspecify.annotations.NullMarked;
