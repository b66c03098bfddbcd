/** Programs as people write them, all of them right: no schedule may accuse one. */
package dev.kumihimo.test.corpus;
