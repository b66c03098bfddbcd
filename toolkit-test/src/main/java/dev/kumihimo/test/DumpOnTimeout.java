package dev.kumihimo.test;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.PreInterruptCallback;
import org.junit.jupiter.api.extension.PreInterruptContext;

/**
 * Has a test that JUnit's {@code @Timeout} is about to interrupt tell where its virtual threads are, on the standard error
 * stream: JUnit's own thread dump has none of them.
 *
 * <p>An {@link AsyncTest} has it, and tells what each of its tasks waits for. For other tests, of which it shows what the tasks
 * of all runtimes do, as {@link TaskRuntime#dumpAll}, and the stacks of all virtual threads of the JVM, it is registered by
 * name:
 *
 * <pre>{@code
 * @ExtendWith(DumpOnTimeout.class)
 * @Timeout(10)
 * class ServerTest { ... }
 * }</pre>
 *
 * @since 0.1
 */
public final class DumpOnTimeout implements PreInterruptCallback {
    /** For JUnit, which makes one. */
    public DumpOnTimeout() {}

    @Override
    public void beforeThreadInterrupt(PreInterruptContext interrupt, ExtensionContext context) {
        AsyncTestSession session = AsyncTestExtension.sessionOf(context);
        TestRuntime test = session == null ? null : session.runtime();
        StringBuilder text = new StringBuilder("JUnit is about to interrupt ")
                .append(interrupt.getThreadToInterrupt())
                .append(" in ")
                .append(context.getUniqueId())
                .append(System.lineSeparator());
        try {
            if (test == null) {
                TaskRuntime.dumpAll().forEach(dump -> text.append(dump).append(System.lineSeparator()));
                text.append(virtualThreads());
            } else {
                text.append(test.dump());
            }
        } catch (RuntimeException | IOException e) {
            text.append("there is no dump: ").append(e);
        }
        System.err.println(text);
    }

    /** {@return the stacks of all virtual threads, as the JDK writes them; tasks are known by their names} */
    private static String virtualThreads() throws IOException {
        Path directory = Files.createTempDirectory("kumihimo-dump");
        Path file = directory.resolve("threads"); // must not exist
        try {
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                    .dumpThreads(file.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
            return Arrays.stream(Files.readString(file).split("\\R\\R"))
                    .filter(thread -> thread.lines().findFirst().orElse("").contains(" virtual"))
                    .collect(Collectors.joining(
                            System.lineSeparator(),
                            "virtual threads:" + System.lineSeparator(),
                            System.lineSeparator()));
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(directory);
        }
    }
}
