package dev.kumihimo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.ContextPropagation;
import dev.kumihimo.runtime.MicrometerContext;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.ForkedJvm;
import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;

/** The toolkit as a module, with and without the library that only one adapter needs. */
@Timeout(90)
class ModulePathTest {
    private static final List<String> CLASS_PATH =
            Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));

    /** What a program on the module path has at least, and the jar of the optional library. */
    private static boolean isNeeded(String entry) {
        return entry.matches(".*[/\\\\](toolkit[/\\\\]target[/\\\\]classes|slf4j-api-[^/]*|jctools-core-[^/]*)");
    }

    private static boolean isOptional(String entry) {
        return entry.matches(".*[/\\\\]context-propagation-[^/]*");
    }

    private static String path(Predicate<String> entries) {
        return CLASS_PATH.stream().filter(entries).collect(Collectors.joining(File.pathSeparator));
    }

    private static String run(Predicate<String> onModulePath, Class<?> main, String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of(
                "--module-path",
                path(onModulePath),
                "--add-modules",
                "dev.kumihimo",
                "--add-opens",
                "java.base/java.lang=dev.kumihimo"));
        all.addAll(List.of(options));
        return ForkedJvm.run(all, path(entry -> entry.endsWith("test-classes")), main);
    }

    @Test
    void withoutTheOptionalLibrary_allElseWorks() throws Exception {
        assertThat(path(ModulePathTest::isNeeded).split(File.pathSeparator)).hasSize(3);
        assertThat(run(ModulePathTest::isNeeded, Plain.class)).contains("module dev.kumihimo, ISOLATED, 42");
    }

    @Test
    void withTheOptionalLibrary_itsAdapterWorks() throws Exception {
        assertThat(run(
                        entry -> isNeeded(entry) || isOptional(entry),
                        WithLibrary.class,
                        "--add-modules",
                        "context.propagation"))
                .contains("through the adapter 42");
    }

    /** What the first forked JVM runs. */
    static final class Plain {
        public static void main(String[] args) throws Exception {
            try (TaskRuntime runtime = TaskRuntime.builder()
                    .contextPropagation(ContextPropagation.mdc())
                    .build()) {
                MDC.put("key", "value");
                System.out.println(TaskRuntime.class.getModule() + ", "
                        + runtime.capabilities().isolation() + ", "
                        + runtime.spawn(() -> 42).join());
            }
        }
    }

    /** What the other one runs. */
    static final class WithLibrary {
        public static void main(String[] args) throws Exception {
            try (TaskRuntime runtime = TaskRuntime.builder()
                    .contextPropagation(MicrometerContext.propagation())
                    .build()) {
                System.out.println(
                        "through the adapter " + runtime.spawn(() -> 42).join());
            }
        }
    }
}
