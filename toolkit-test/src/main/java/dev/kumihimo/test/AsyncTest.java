package dev.kumihimo.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A JUnit Jupiter test whose body is a task: named {@code main}, in a new {@link TestRuntime}, in virtual time, and in as many
 * schedules as it asks for. It needs the JVM flag {@code --add-opens java.base/java.lang=ALL-UNNAMED}; without it the first such
 * test fails with the lines for Maven and Gradle.
 *
 * <pre>{@code
 * @AsyncTest                                       // one schedule, the same each time; an hour passes at once
 * void retriesAfterAnHour(TestClock clock) throws Exception {
 *     assertThat(client.fetch()).isEqualTo("ok");
 *     assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
 * }
 *
 * @AsyncTest(schedules = 1_000)                    // the first that fails tells the seed that replays it
 * void transferKeepsTheSum(TestScope tasks) { ... }
 * }</pre>
 *
 * <h2>Parameters</h2>
 *
 * The method may have, besides what other extensions give it: the {@link TestRuntime}; its {@link TestClock}; an {@link Rng}, with
 * the seed of the schedule and numbers of its own, so that data replay with the order; a {@link TestScope}, whose tasks the test
 * waits for; a {@link BackgroundScope}, whose tasks it aborts at its end. Lifecycle methods and constructors get none of these.
 *
 * <h2>Instances</h2>
 *
 * One schedule runs on the instance that JUnit made, as any test. Of several, each has a new one, made within its runtime, its
 * enclosing ones included; {@code @BeforeEach} and {@code @AfterEach} run once for all, on JUnit's thread and on JUnit's instance,
 * so that what they and extensions put into fields is not there. State belongs into the method, or into initialisers of fields.
 * With {@code Lifecycle.PER_CLASS} all schedules share the one instance, and the body has to begin anew by itself.
 *
 * <h2>The end</h2>
 *
 * When the body has returned, the test waits for the tasks of its {@link TestScope}, aborts those of its {@link BackgroundScope},
 * looks for what is left ({@link #leaks()}), and aborts what lives. What the body threw is what JUnit is told, as it is; what
 * else went wrong is suppressed in it. How to replay it is suppressed in it, too, and printed to the standard error stream, since
 * a build may shorten stack traces.
 *
 * <h2>Seeds</h2>
 *
 * The first of these that is given: {@link #replay()}; the system property {@code kumihimo.test.replay} or the environment variable
 * {@code KUMIHIMO_TEST_REPLAY}, with a record or the name of a file that has one; the system property {@code kumihimo.test.seed}; the environment variable
 * {@code KUMIHIMO_TEST_SEED}; {@link #seed()}; else the test's own, a hash of its unique id. A record is of one schedule, and of
 * the data of that. A property or variable with a number reduces the seeds to that one: it is run as the strategy uses it,
 * besides those of a {@link SeedSource}; {@link ScheduleStrategy#PCT} and
 * {@link ScheduleStrategy#PORTFOLIO} run one schedule in order before. {@code random} has each run begin elsewhere.
 *
 * <p>A JUnit {@code @Timeout} ends it as well, and tells what its tasks wait for, see {@link DumpOnTimeout}. To run one as a
 * parameterized or repeated test is not supported, and fails.
 *
 * @since 0.1
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Test
@ExtendWith({AsyncTestExtension.class, DumpOnTimeout.class})
public @interface AsyncTest {
    /** {@return how many schedules are run, at least 1; with {@link #budget()} set and this at 1, as many as it allows} */
    int schedules() default 1;

    /** {@return how much real time exploring may take, as {@code "500ms"}, {@code "3s"} or {@code "2m"}; empty for any} */
    String budget() default "";

    /** {@return how schedules are chosen} */
    ScheduleStrategy strategy() default ScheduleStrategy.PORTFOLIO;

    /** {@return how many switches at chosen places {@link ScheduleStrategy#PCT} reckons with, and one, at least 1} */
    int depth() default 3;

    /** {@return how many switches at points {@link ScheduleStrategy#PREEMPTIONS} allows, 0 or more} */
    int preemptions() default 2;

    /** {@return the first seed; 0 for one of the test's own} */
    long seed() default 0;

    /** {@return the record of one schedule, as a failure tells it, to run that alone; the data of its {@link Rng} are in it} */
    String replay() default "";

    /**
     * {@return whether the clock stands still and jumps when nothing can run} If false it follows real time, with all that
     * depends on it: a sleep takes as long as it says, and no seed determines the order.
     */
    boolean startPaused() default true;

    /** {@return what is done about waits for real sockets} */
    ExternalIo externalIo() default ExternalIo.GRACE;

    /** {@return what is done about waits in the JDK for a time} */
    JdkTimers jdkTimers() default JdkTimers.REAL;

    /** {@return how much real time one schedule may take, more than zero, as {@code "500ms"}, {@code "10s"} or {@code "2m"}} */
    String timeout() default "10s";

    /** {@return what becomes of a test that leaves something behind} */
    LeakPolicy leaks() default LeakPolicy.FAIL;
}
