/**
 * Linearizability of what waits, checked by Lincheck on platform threads. A primitive joins by a {@link
 * dev.kumihimo.lincheck.WaitingModel} of it and a test class like {@code SemaphoreLincheckTest}.
 */
package dev.kumihimo.lincheck;
