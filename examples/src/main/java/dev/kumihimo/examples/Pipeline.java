package dev.kumihimo.examples;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.AbortHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.task.JoinSet;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hashes lines in three stages over bounded channels: reads them, digests them in a pool of workers, writes the results.
 *
 * <p>A slow stage holds back those before it. Ctrl-C ends the reading, lets what is in the channels flow out, and then ends.
 */
public final class Pipeline {
    private static final String USAGE = """
            usage: Pipeline [--workers N] FILE        the lines of a file
                   Pipeline [--workers N] -           those of the standard input
                   Pipeline [--workers N] --lines N   generated ones
            writes the SHA-256 of each line and the line, in the order in which the workers (4 by default) are done""";

    private static final int CAPACITY = 64;

    private final Source source;
    private final int workers;
    private final Channel<String> lines = Channel.bounded(CAPACITY);
    private final Channel<String> results = Channel.bounded(CAPACITY);
    private final CountDownLatch ended = new CountDownLatch(1);
    private long in; // counted by the first stage, and read when that has ended
    private long out; // by the last

    /** Where lines come from; null is the end. */
    private interface Source extends AutoCloseable {
        @Nullable
        String next() throws IOException;

        @Override
        default void close() throws IOException {}
    }

    private Pipeline(Source source, int workers) {
        this.source = source;
        this.workers = workers;
    }

    /** Runs the pipeline until its input ends, or the process is told to end. */
    public static void main(String[] arguments) throws Exception {
        Pipeline pipeline = parse(arguments);
        int status = 1;
        try (TaskRuntime runtime = TaskRuntime.builder().build()) {
            runtime.blockOn(pipeline::run);
            System.err.println("Pipeline: " + pipeline.in + " lines in, " + pipeline.out + " lines out");
            status = pipeline.in == pipeline.out ? 0 : 1;
        } catch (ExecutionException e) {
            System.err.println("Pipeline: " + e.getCause() + ".");
        }
        pipeline.ended.countDown();
        if (status != 0) {
            System.exit(status);
        }
    }

    /* ---------------- The stages -------------- */

    /** Starts the stages and waits for them; if one fails, the others are aborted. */
    private void run() throws InterruptedException, ExecutionException {
        try (var stages = JoinSet.<@Nullable Void>open()) {
            AbortHandle reader = stages.spawnBlocking(
                    () -> { // files block their thread
                        read();
                        return null;
                    });
            Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(reader)));
            stages.spawn(this::digest);
            stages.spawnBlocking(() -> {
                write();
                return null;
            });
            stages.joinAll();
        }
    }

    private void read() throws IOException {
        try (lines;
                source) {
            for (String line; (line = source.next()) != null; in++) {
                lines.send(line);
            }
        } catch (InterruptedException | ClosedByInterruptException e) {
            // Aborted: a send that is cancelled has sent nothing, and so the count is right.
        }
    }

    private void digest() throws InterruptedException, ExecutionException {
        try (results;
                var pool = JoinSet.<@Nullable Void>open()) {
            for (int i = 0; i < workers; i++) {
                pool.spawn(this::work);
            }
            pool.joinAll();
        }
    }

    private void work() throws InterruptedException, NoSuchAlgorithmException {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        for (String line; (line = lines.receiveOrNull()) != null; ) {
            byte[] digest = sha256.digest(line.getBytes(StandardCharsets.UTF_8));
            results.send(HexFormat.of().formatHex(digest) + "  " + line);
        }
    }

    private void write() throws IOException, InterruptedException {
        var standardOutput = Channels.newOutputStream(new FileOutputStream(FileDescriptor.out).getChannel());
        try (var writer = new BufferedWriter(new OutputStreamWriter(standardOutput, StandardCharsets.UTF_8))) {
            for (String result; (result = results.receiveOrNull()) != null; out++) {
                writer.write(result);
                writer.write('\n');
                if (results.size() == 0) {
                    writer.flush(); // nothing follows at once: let it be seen
                }
            }
        }
    }

    /** On SIGINT and SIGTERM, and at the end: has nothing more read, and waits until all has flowed out. */
    private void drain(AbortHandle reader) {
        if (ended.getCount() > 0) {
            System.err.println("Pipeline: told to end, and so reads no more");
        }
        reader.abort();
        try {
            if (!ended.await(10, TimeUnit.SECONDS)) {
                System.err.println("Pipeline: nobody takes the output, and so the rest is lost");
            }
        } catch (InterruptedException e) {
            // the process ends
        }
    }

    /* ---------------- Arguments and sources -------------- */

    private static Pipeline parse(String[] arguments) {
        int workers = 4;
        Source source = null;
        try {
            for (int i = 0; i < arguments.length; i++) {
                String argument = arguments[i];
                if (argument.equals("--help") || argument.equals("-h")) {
                    System.out.println(USAGE);
                    System.exit(0);
                }
                String value = i + 1 < arguments.length ? arguments[i + 1] : "nothing";
                if (argument.equals("--workers")) {
                    workers = (int) number(argument, value, 1, 10_000);
                    i++;
                } else if (source != null) {
                    throw new IllegalArgumentException("\"" + argument + "\" is more than one input");
                } else if (argument.equals("--lines")) {
                    source = generated(number(argument, value, 0, Long.MAX_VALUE));
                    i++;
                } else if (argument.equals("-")) {
                    source = linesOf(new FileInputStream(FileDescriptor.in).getChannel());
                } else if (argument.startsWith("-")) {
                    throw new IllegalArgumentException("there is no option \"" + argument + "\"");
                } else {
                    source = linesOf(FileChannel.open(Path.of(argument)));
                }
            }
            if (source == null) {
                throw new IllegalArgumentException("no input is given");
            }
        } catch (IllegalArgumentException e) {
            System.err.println("Pipeline: " + e.getMessage() + ". See Pipeline --help.");
            System.exit(2);
        } catch (NoSuchFileException e) {
            System.err.println("Pipeline: there is no file \"" + e.getFile() + "\".");
            System.exit(1);
        } catch (IOException e) {
            System.err.println("Pipeline: " + e + ".");
            System.exit(1);
        }
        return new Pipeline(source, workers);
    }

    private static long number(String option, String text, long least, long most) {
        if (text.matches("[0-9]{1,18}")) {
            long number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw new IllegalArgumentException(option + " takes a number from " + least + " on, not \"" + text + "\"");
    }

    private static Source generated(long count) {
        return new Source() {
            private long made;

            @Override
            public @Nullable String next() {
                return made == count ? null : "line " + ++made;
            }
        };
    }

    /** Unlike other streams of files, one over a channel can be interrupted while it waits for input. */
    private static Source linesOf(FileChannel channel) {
        var reader =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
        return new Source() {
            @Override
            public @Nullable String next() throws IOException {
                return reader.readLine();
            }

            @Override
            public void close() throws IOException {
                reader.close();
            }
        };
    }
}
