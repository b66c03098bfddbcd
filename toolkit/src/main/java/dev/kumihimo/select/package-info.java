/** Wait for the first of several things: {@link dev.kumihimo.select.Select}. What can be selected is made elsewhere, above. */
@NullMarked
package dev.kumihimo.select;

import org.jspecify.annotations.NullMarked;
