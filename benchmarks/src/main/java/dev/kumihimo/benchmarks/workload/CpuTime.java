package dev.kumihimo.benchmarks.workload;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** Processor time of this process. */
final class CpuTime {
    private static final Path THREADS = Path.of("/proc/self/task");

    private CpuTime() {}

    /** What all threads have used, in steps of 10 ms. */
    static long nanos() {
        return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
                .getProcessCpuTime();
    }

    /**
     * The same without the threads of the JIT compiler, which works for many seconds if the program mostly waits. Where the
     * system does not tell of single threads, they are included.
     */
    static long nanosWithoutCompiler() throws IOException {
        long compiler = 0;
        if (Files.isDirectory(THREADS)) {
            try (var threads = Files.newDirectoryStream(THREADS)) {
                for (var thread : threads) {
                    compiler += nanosOfCompiler(thread);
                }
            }
        }
        return nanos() - compiler;
    }

    private static long nanosOfCompiler(Path thread) {
        try {
            if (!Files.readString(thread.resolve("comm")).matches("(?s)C[12] CompilerThre.*")) {
                return 0;
            }
            var used = Files.readString(thread.resolve("schedstat"));
            return Long.parseLong(used.substring(0, used.indexOf(' ')));
        } catch (IOException e) {
            return 0; // the thread has ended
        }
    }
}
