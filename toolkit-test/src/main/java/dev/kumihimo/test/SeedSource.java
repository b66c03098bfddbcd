package dev.kumihimo.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Seeds that an {@link AsyncTest} runs right after the plain order of {@link ScheduleStrategy#FIFO}, whatever its budget: those
 * under which it has failed once. They stay in the source, so that what was repaired stays so.
 *
 * <pre>{@code
 * @AsyncTest(schedules = 1_000)
 * @SeedSource({0x1f3aL, 0x7d1e03L})
 * void transferKeepsTheSum() { ... }
 * }</pre>
 *
 * <p>A seed determines a schedule as long as the code has the same waits and locks; after a change of these it is one seed among
 * others.
 *
 * @since 0.1
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
public @interface SeedSource {
    /** {@return the seeds, in the order in which they are run} */
    long[] value();
}
