/** Runs the jcstress tests, which stand in the packages that they look into, and finds the bugs planted here. */
package dev.kumihimo.jcstress;
