/** What the example {@code MiniRedis} is compared with, see {@code benchmarks/redis}. */
@NullMarked
package dev.kumihimo.benchmarks.redis;

import org.jspecify.annotations.NullMarked;
