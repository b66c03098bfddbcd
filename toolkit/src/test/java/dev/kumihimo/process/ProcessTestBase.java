package dev.kumihimo.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.Observe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** A runtime with one carrier and one thread for blocking jobs, and a look at what is left of the children. */
@Timeout(60)
@EnabledOnOs(OS.LINUX)
abstract class ProcessTestBase {
    static final Duration LONG = Duration.ofSeconds(20);

    final TaskRuntime runtime =
            TaskRuntime.builder().workerThreads(1).maxBlockingThreads(1).build();

    @AfterEach
    void close() {
        runtime.close();
        assertThat(children()).as("children of this JVM").isEmpty();
        Observe.until("no thread for a child is left", () -> threads().isEmpty());
    }

    static List<ProcessHandle> children() {
        return ProcessHandle.current().children().toList(); // zombies among them
    }

    static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("kumihimo-process-"))
                .toList();
    }

    /** Whether a process that is not our child runs no more; it may be a zombie that nobody reaps. */
    static boolean isGone(ProcessHandle process) {
        try {
            String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
            return stat.substring(stat.lastIndexOf(')')).startsWith(") Z") || !process.isAlive();
        } catch (IOException e) {
            return true;
        }
    }

    static List<ProcessHandle> descendants(Child child, int count) {
        Observe.until(
                "it has " + count + " descendants",
                () -> child.handle().descendants().count() == count);
        return child.handle().descendants().toList();
    }

    static void untilGone(Stream<ProcessHandle> processes) {
        processes.forEach(process -> Observe.until(process + " is gone", () -> isGone(process)));
    }

    /** Starts a task and returns once it waits in the wait room. */
    <T> JoinHandle<T> waiting(Body<T, ?> body) {
        JoinHandle<T> task = runtime.spawn(body);
        Observe.until("the task waits", () -> ((Waiter) task).openWait() != null);
        return task;
    }

    static Throwable failure(JoinHandle<?> task) throws Exception {
        return ((JoinResult.Failure<?>) task.result(LONG)).exception();
    }

    static void assertCancelled(JoinHandle<?> task) throws Exception {
        assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
    }

    static Command sh(String script) {
        return Command.of("sh", "-c", script);
    }
}
