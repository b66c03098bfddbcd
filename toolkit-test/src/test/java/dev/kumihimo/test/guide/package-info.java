/** The code of docs/testing.md: each of its code blocks stands here or in examples/testing, and is run. */
package dev.kumihimo.test.guide;
