/** What the rooms of bytes, sockets, frames and TLS have in common: how a stream waits, and how it tells that it has not. */
@NullMarked
package dev.kumihimo.internal.stream;

import org.jspecify.annotations.NullMarked;
