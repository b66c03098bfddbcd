package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where each option comes from, what it may be, and what a mistake is told as. */
class RuntimeOptionsTest {

    private final RuntimeOptions.Builder builder = new RuntimeOptions.Builder();
    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> properties = new HashMap<>();

    private RuntimeOptions resolve() {
        return builder.resolve(environment::get, properties::get);
    }

    @Test
    void defaults_applyWhereNothingIsSaid() {
        RuntimeOptions options = resolve();
        assertThat(options.workerThreads()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(options.maxBlockingThreads()).isEqualTo(512);
        assertThat(options.maxBlockingQueue()).isEqualTo(Integer.MAX_VALUE);
        assertThat(options.threadKeepAliveNanos()).isEqualTo(10_000_000_000L);
        assertThat(options.threadName()).isEqualTo("kumihimo");
        assertThat(options.name())
                .matches("kumihimo-[1-9][0-9]*")
                .isNotEqualTo(resolve().name());
        assertThat(options.shutdownTimeoutNanos()).isEqualTo(10_000_000_000L);
        assertThat(options.eventInterval()).isEqualTo(61);
        assertThat(options.instantSource()).isEqualTo(InstantSource.system());
    }

    @Test
    void instantSource_isTheOneThatWasSet() {
        InstantSource fixed = InstantSource.fixed(Instant.EPOCH);
        try (TaskRuntime runtime = TaskRuntime.builder().instantSource(fixed).build()) {
            assertThat(runtime.instantSource()).isSameAs(fixed);
        }
        assertThatThrownBy(() -> TaskRuntime.builder().instantSource(null)).isInstanceOf(NullPointerException.class);
    }

    /** Each option: its names, three valid texts and what they mean, and its builder field. */
    static Stream<Arguments> options() {
        return Stream.of(
                option(
                        "worker.threads",
                        RuntimeOptions::workerThreads,
                        Map.of("1", 1, "4", 4, "32767", 32767),
                        (b, v) -> b.workerThreads = (Integer) v),
                option(
                        "max.blocking.threads",
                        RuntimeOptions::maxBlockingThreads,
                        Map.of("1", 1, " 7 ", 7, "1000000", 1_000_000),
                        (b, v) -> b.maxBlockingThreads = (Integer) v),
                option(
                        "max.blocking.queue",
                        RuntimeOptions::maxBlockingQueue,
                        Map.of("0", 0, " 7 ", 7, "2147483647", Integer.MAX_VALUE),
                        (b, v) -> b.maxBlockingQueue = (Integer) v),
                option(
                        "thread.keep.alive",
                        RuntimeOptions::threadKeepAliveNanos,
                        Map.of("500ms", 500_000_000L, "10s", 10_000_000_000L, "PT0.000000001S", 1L),
                        (b, v) -> b.threadKeepAlive = Duration.ofNanos((Long) v)),
                option(
                        "thread.name",
                        RuntimeOptions::threadName,
                        Map.of("orders", "orders", "a b", "a b", "組紐", "組紐"),
                        (b, v) -> b.threadName = (String) v),
                option(
                        "name",
                        RuntimeOptions::name,
                        Map.of("orders", "orders", "a b", "a b", "組紐", "組紐"),
                        (b, v) -> b.name = (String) v),
                option(
                        "shutdown.timeout",
                        RuntimeOptions::shutdownTimeoutNanos,
                        Map.of("0s", 0L, "00000000000000000002m", 120_000_000_000L, "1h", 3_600_000_000_000L),
                        (b, v) -> b.shutdownTimeout = Duration.ofNanos((Long) v)),
                option(
                        "event.interval",
                        RuntimeOptions::eventInterval,
                        Map.of("1", 1, "+31", 31, "2147483647", Integer.MAX_VALUE),
                        (b, v) -> b.eventInterval = (Integer) v));
    }

    private static Arguments option(
            String key,
            Function<RuntimeOptions, Object> value,
            Map<String, Object> valid,
            BiConsumer<RuntimeOptions.Builder, Object> set) {
        return Arguments.of(key, value, valid, set);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("options")
    void builderBeatsProperty_propertyBeatsEnvironment_environmentBeatsDefault(
            String key,
            Function<RuntimeOptions, Object> value,
            Map<String, Object> valid,
            BiConsumer<RuntimeOptions.Builder, Object> set) {
        var texts = valid.keySet().stream().sorted().toList();
        environment.put("KUMIHIMO_" + key.toUpperCase(Locale.ROOT).replace('.', '_'), texts.get(0));
        assertThat(value.apply(resolve())).isEqualTo(valid.get(texts.get(0)));
        properties.put("kumihimo." + key, texts.get(1));
        assertThat(value.apply(resolve())).isEqualTo(valid.get(texts.get(1)));
        set.accept(builder, valid.get(texts.get(2)));
        assertThat(value.apply(resolve())).isEqualTo(valid.get(texts.get(2)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
        kumihimo.worker.threads       | ''                | from 1 to 32767
        kumihimo.worker.threads       | 0                 | from 1 to 32767
        kumihimo.worker.threads       | -1                | from 1 to 32767
        kumihimo.worker.threads       | 32768             | from 1 to 32767
        kumihimo.worker.threads       | 99999999999999999 | from 1 to 32767
        kumihimo.worker.threads       | four              | from 1 to 32767
        kumihimo.worker.threads       | 4.0               | from 1 to 32767
        kumihimo.max.blocking.threads | 0                 | from 1 to 1000000
        kumihimo.max.blocking.threads | 1000001           | from 1 to 1000000
        kumihimo.max.blocking.queue   | -1                | from 0 to 2147483647
        kumihimo.max.blocking.queue   | 2147483648        | from 0 to 2147483647
        kumihimo.thread.keep.alive    | 0s                | longer than 0
        kumihimo.thread.keep.alive    | PT0S              | longer than 0
        kumihimo.thread.keep.alive    | -1s               | longer than 0
        kumihimo.thread.keep.alive    | PT-1S             | longer than 0
        kumihimo.thread.keep.alive    | 10                | "10s"
        kumihimo.thread.keep.alive    | 10 s              | "10s"
        kumihimo.thread.keep.alive    | 10d               | "10s"
        kumihimo.thread.keep.alive    | s                 | "10s"
        kumihimo.thread.keep.alive    | P                 | "10s"
        kumihimo.thread.name          | ''                | not blank
        kumihimo.thread.name          | '  '              | not blank
        kumihimo.name                 | ''                | not blank
        kumihimo.shutdown.timeout     | -1s               | 0 or longer
        kumihimo.shutdown.timeout     | PT-0.000000001S   | 0 or longer
        kumihimo.shutdown.timeout     | soon              | 0 or longer
        kumihimo.event.interval       | 0                 | from 1 to 2147483647
        kumihimo.event.interval       | 2147483648        | from 1 to 2147483647
        """)
    void invalidText_isRefused_namingSourceValueAndWhatIsAllowed(String property, String text, String allowed) {
        properties.put(property, text);
        assertThatIllegalArgumentException()
                .isThrownBy(this::resolve)
                .withMessageContainingAll("system property " + property + " ", "\"" + text + "\"", allowed);
        properties.clear();
        String variable = property.toUpperCase(Locale.ROOT).replace('.', '_');
        environment.put(variable, text);
        assertThatIllegalArgumentException()
                .isThrownBy(this::resolve)
                .withMessageContainingAll("environment variable " + variable + " ", "\"" + text + "\"", allowed);
    }

    @Test
    void invalidBuilderValue_isRefused_namingTheOption() {
        builder.workerThreads = 0;
        assertThatIllegalArgumentException()
                .isThrownBy(this::resolve)
                .withMessage("workerThreads must be an integer from 1 to 32767, but is \"0\"");
        builder.workerThreads = null;
        builder.threadKeepAlive = Duration.ZERO;
        assertThatIllegalArgumentException()
                .isThrownBy(this::resolve)
                .withMessageContainingAll("threadKeepAlive", "PT0S");
        builder.threadKeepAlive = null;
        builder.name = "\t ";
        assertThatIllegalArgumentException().isThrownBy(this::resolve).withMessageContainingAll("name", "not blank");
    }

    @Test
    void aSourceThatIsBeaten_isNotEvenRead() {
        environment.put("KUMIHIMO_WORKER_THREADS", "nonsense");
        properties.put("kumihimo.worker.threads", "3");
        assertThat(resolve().workerThreads()).isEqualTo(3);
        properties.put("kumihimo.worker.threads", "nonsense");
        builder.workerThreads = 2;
        assertThat(resolve().workerThreads()).isEqualTo(2);
    }

    @Test
    void tokiosVariable_isHonored_whereOurOwnIsUnset() {
        environment.put("TOKIO_WORKER_THREADS", "5");
        assertThat(resolve().workerThreads()).isEqualTo(5);
        environment.put("KUMIHIMO_WORKER_THREADS", "6");
        assertThat(resolve().workerThreads()).isEqualTo(6);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "", "many"})
    void tokiosVariable_isNamed_whenItIsInvalid(String text) {
        environment.put("TOKIO_WORKER_THREADS", text);
        assertThatIllegalArgumentException()
                .isThrownBy(this::resolve)
                .withMessageContaining("environment variable TOKIO_WORKER_THREADS");
    }

    @ParameterizedTest
    @ValueSource(strings = {"3000000h", "18446744073709551617ms", "PT3000000H"})
    void longDurations_areClamped(String text) {
        properties.put("kumihimo.shutdown.timeout", text);
        assertThat(resolve().shutdownTimeoutNanos()).isEqualTo(Long.MAX_VALUE);
        builder.threadKeepAlive = Duration.ofSeconds(Long.MAX_VALUE);
        assertThat(resolve().threadKeepAliveNanos()).isEqualTo(Long.MAX_VALUE);
    }
}
