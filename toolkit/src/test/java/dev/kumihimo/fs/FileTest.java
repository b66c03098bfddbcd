package dev.kumihimo.fs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A runtime with a blocking pool of one thread, and means to hold it and to look at it. */
abstract class FileTest {
    static final Duration LONG = Duration.ofSeconds(10);
    private static final Path OPEN_FILES = Path.of("/proc/self/fd");

    final TaskRuntime runtime = TaskRuntime.builder()
            .workerThreads(1)
            .maxBlockingThreads(1)
            .threadName("files")
            .shutdownTimeout(Duration.ofSeconds(5))
            .build();

    @TempDir
    Path dir;

    @BeforeEach
    void useRealPath() throws IOException {
        dir = dir.toRealPath(); // open files are listed so
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        runtime.close();
        assertThat(openFiles()).isEmpty();
    }

    <T> T inTask(Body<T, Exception> body) throws Exception {
        return runtime.<T, Exception>blockOn(body);
    }

    void inTask(VoidBody<Exception> body) throws Exception {
        runtime.<Exception>blockOn(body);
    }

    /** The files below the test's directory that this process has open, where it can tell. */
    List<String> openFiles() throws IOException {
        List<String> open = new ArrayList<>();
        if (Files.isDirectory(OPEN_FILES)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(OPEN_FILES)) {
                for (Path link : all) {
                    try {
                        String file = Files.readSymbolicLink(link).toString();
                        if (file.startsWith(dir.toString())) {
                            open.add(file);
                        }
                    } catch (IOException e) {
                        // closed since it was listed
                    }
                }
            }
        }
        return open;
    }

    /** How many blocking jobs a body takes: they are numbered, and nobody else starts any. */
    long jobsOf(VoidBody<Exception> body) throws Exception {
        long before = jobNumber();
        inTask(body);
        return jobNumber() - before - 1;
    }

    private long jobNumber() throws Exception {
        JoinHandle<Integer> job = runtime.spawnBlocking(() -> 1);
        job.join(LONG);
        return Long.parseLong(job.name().substring("job-".length()));
    }

    byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        ThreadLocalRandom.current().nextBytes(bytes);
        return bytes;
    }

    /** A job that holds the pool's only thread until it is released. */
    final class Occupier {
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch release = new CountDownLatch(1);
        private final JoinHandle<Integer> job = runtime.spawnBlocking(() -> {
            begun.countDown();
            release.await();
            return 1;
        });

        Occupier untilItHolds() throws InterruptedException {
            begun.await();
            return this;
        }

        void release() throws Exception {
            release.countDown();
            job.join(LONG);
        }
    }

    /** Has a task do the first step of something and wait for the second, which is not begun; then aborts it. */
    <T> JoinHandle<T> abortedAfterOneStep(Body<T, Exception> body) throws Exception {
        Occupier first = new Occupier().untilItHolds();
        TaskProbe<T> task = TaskProbe.spawn(runtime, body).untilParked(); // its first step is queued
        Occupier second = new Occupier();
        first.release();
        second.untilItHolds();
        Observe.untilParked(task.thread()); // its second step is queued
        task.handle().abort();
        second.release();
        task.handle().result(LONG);
        return task.handle();
    }
}
