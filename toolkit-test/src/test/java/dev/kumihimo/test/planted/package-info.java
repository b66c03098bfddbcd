/**
 * Broken variants of primitives and programs, each with a sound twin: the kit has to find every bug within a number of
 * schedules, and to accuse no twin. Each bug is a class's worth of code at most, built on the wait room or on the public API.
 */
package dev.kumihimo.test.planted;
