/**
 * The cancel matrix. A row is a waiting operation ({@link dev.kumihimo.test.matrix.Row}), and a new primitive joins by a
 * {@link dev.kumihimo.test.matrix.Subject} and a line in one of the lists of rows. What a subject has to say is how its
 * operation is called, what a peer does so that the next waiter is served, what it means that somebody could be served and is
 * not, and a ledger that must balance when all is over.
 *
 * <p>{@link dev.kumihimo.test.matrix.Case} plays one case in a runtime of its own, first in first out, and judges it: each
 * waiter has returned, and the effect is there once, or has thrown what the event explains, and there is none; nobody waits
 * for what is there, for a closed object, or after the event; the interrupt flag is as it should be; the others were served
 * in the order of their coming; no wait is open, no queue has a node, no timer is armed, no task lives; and the object can be
 * used again. {@link dev.kumihimo.test.matrix.Matrix} walks the points: of the victim's path, of its retreat, of the peer's
 * path, and of two of these at a time; with one event, and with two.
 *
 * <p>A failure names the case in full, which is enough to have it again: the order has no chance in it.
 */
package dev.kumihimo.test.matrix;
