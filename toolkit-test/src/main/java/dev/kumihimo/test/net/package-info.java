/** Streams and networks in memory, for tests: what a peer does is scripted, or comes from a seed. */
@NullMarked
package dev.kumihimo.test.net;

import org.jspecify.annotations.NullMarked;
