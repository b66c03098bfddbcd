package dev.kumihimo.examples;

import dev.kumihimo.process.Command;
import dev.kumihimo.process.Output;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.signal.Service;
import dev.kumihimo.signal.Signal;
import dev.kumihimo.signal.SignalKind;
import dev.kumihimo.time.Interval;
import dev.kumihimo.time.MissedTickBehavior;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs commands at intervals, with jitter, and with a policy for runs that take longer than that.
 *
 * <p>SIGHUP tells the counts. SIGINT and SIGTERM start nothing more, and give what runs ten seconds; a second one does not.
 */
public final class Cron {
    private static final String USAGE = """
            usage: Cron [--for TIME] JOB...
            a JOB is one argument: EVERY[~JITTER][/POLICY] COMMAND
              EVERY, JITTER, TIME   as 500ms, 2s, 5m, 1h; each run begins up to JITTER later than its tick
              POLICY                what happens at a tick while the command still runs:
                skip      nothing: that tick is left out (so it is without a policy)
                queue     it runs afterwards, as often as it was missed
                overlap   it runs beside the other
                kill      the other is killed
              COMMAND               is run by sh, and its output is printed when it ends
              --for TIME            ends by itself after that time
            SIGHUP tells the counts; SIGINT and SIGTERM wait up to 10 s for what runs (Ctrl-C in a
            terminal goes to the commands, too)
            exit code: 0 ended in order; 1 something had to be killed at the end; 130 or 143 after a second signal
            example: Cron '2s date' '10s~1s/kill curl -s https://example.org/health'""";

    private static final int LONGEST_OUTPUT = 16 << 20;
    private static final Duration DRAIN = Duration.ofSeconds(10);
    private static final Pattern JOB =
            Pattern.compile("([^\\s~/]+)(?:~([^\\s/]+))?(?:/(\\S+))?\\s+(\\S.*)", Pattern.DOTALL);

    private enum Policy {
        SKIP,
        QUEUE,
        OVERLAP,
        KILL
    }

    /** A command, and how it has fared. */
    private static final class Job {
        final String name;
        final Duration every;
        final Duration jitter;
        final Policy policy;
        final String command;
        final AtomicLong runs = new AtomicLong();
        final AtomicLong failures = new AtomicLong();
        final AtomicLong skipped = new AtomicLong();
        final AtomicLong killed = new AtomicLong();

        Job(String name, Duration every, Duration jitter, Policy policy, String command) {
            this.name = name;
            this.every = every;
            this.jitter = jitter;
            this.policy = policy;
            this.command = command;
        }

        Duration randomJitter() {
            return Duration.ofNanos(
                    (long) (jitter.toNanos() * ThreadLocalRandom.current().nextDouble()));
        }

        @Override
        public String toString() {
            return runs + " runs, " + failures + " failed, " + skipped + " skipped, " + killed + " killed: " + command;
        }
    }

    private final List<Job> jobs;
    private final Duration length;

    private Cron(List<Job> jobs, Duration length) {
        this.jobs = jobs;
        this.length = length;
    }

    /** Runs the jobs until it is told to end. */
    public static void main(String[] arguments) throws InterruptedException {
        Cron cron = parse(arguments);
        int status = Service.run(DRAIN, cron::run);
        cron.tell("ended");
        System.exit(status);
    }

    /* ---------------- Running -------------- */

    private void run(Service service) throws InterruptedException {
        try (Signal hangup = Signal.listen(SignalKind.HANGUP)) {
            for (Job job : jobs) {
                service.spawnNamed("ticks of " + job.name, () -> service.token().run(() -> repeat(service, job)));
            }
            print("Cron", "runs " + jobs.size() + " jobs");
            Timeout.call(length, () -> {
                while (true) {
                    hangup.receive();
                    tell("so far");
                }
            });
        } catch (TimeoutException e) {
            print("Cron", "its time is over"); // and with its body the service ends
        }
    }

    /** Begins a run at each tick, until the service ends. */
    private void repeat(Service service, Job job) throws InterruptedException {
        Interval ticks = Interval.of(job.every)
                .missedTicks(job.policy == Policy.QUEUE ? MissedTickBehavior.BURST : MissedTickBehavior.SKIP);
        JoinHandle<?> last = null;
        while (true) {
            ticks.tick();
            Task.sleep(job.randomJitter()); // delays this run and not the ticks
            boolean overrun = last != null && !last.isFinished();
            if (overrun && job.policy == Policy.SKIP) {
                job.skipped.incrementAndGet();
                continue;
            }
            if (overrun && job.policy == Policy.KILL) {
                last.abort(); // kills the command, and what that has started
                job.killed.incrementAndGet();
            }
            if (overrun && job.policy != Policy.OVERLAP) {
                last.result();
            }
            last = service.spawnNamed(job.name, () -> runOnce(job));
        }
    }

    private static void runOnce(Job job) throws InterruptedException {
        job.runs.incrementAndGet();
        try {
            Output output = Command.of("sh", "-c", job.command)
                    .mergeStderr()
                    .outputLimit(LONGEST_OUTPUT)
                    .output();
            output.stdoutText().lines().forEach(line -> print(job.name, line));
            if (!output.status().isSuccess()) {
                job.failures.incrementAndGet();
                print(job.name, "failed: " + output.status());
            }
        } catch (IOException | RuntimeException | Error e) { // no shell, more output than fits, no memory
            job.failures.incrementAndGet();
            print(job.name, "failed: " + e.getMessage());
        }
    }

    private void tell(String when) {
        jobs.forEach(job -> print(job.name, when + " " + job));
    }

    private static void print(String who, String what) {
        System.out.println(LocalTime.now().truncatedTo(ChronoUnit.MILLIS) + " " + who + ": " + what);
    }

    /* ---------------- Arguments -------------- */

    private static Cron parse(String[] arguments) {
        List<Job> jobs = new ArrayList<>();
        Duration length = ChronoUnit.FOREVER.getDuration();
        try {
            for (int i = 0; i < arguments.length; i++) {
                String argument = arguments[i];
                if (argument.equals("--help") || argument.equals("-h")) {
                    System.out.println(USAGE);
                    System.exit(0);
                } else if (argument.equals("--for")) {
                    length = duration(argument, ++i < arguments.length ? arguments[i] : "nothing");
                } else if (argument.startsWith("-")) {
                    throw new IllegalArgumentException("there is no option \"" + argument + "\"");
                } else {
                    jobs.add(job("job " + (jobs.size() + 1), argument));
                }
            }
            if (jobs.isEmpty()) {
                throw new IllegalArgumentException("no job is given");
            }
        } catch (IllegalArgumentException e) {
            System.err.println("Cron: " + e.getMessage() + ". See Cron --help.");
            System.exit(2);
        }
        return new Cron(jobs, length);
    }

    private static Job job(String name, String text) {
        Matcher parts = JOB.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("a job is EVERY[~JITTER][/POLICY] COMMAND, not \"" + text + "\"");
        }
        Duration every = duration("EVERY", parts.group(1));
        Duration jitter = parts.group(2) == null ? Duration.ZERO : duration("JITTER", parts.group(2));
        if (jitter.compareTo(every) >= 0) {
            throw new IllegalArgumentException("the jitter in \"" + text + "\" must be shorter than the interval");
        }
        String policy = parts.group(3) == null ? "skip" : parts.group(3);
        if (!policy.matches("skip|queue|overlap|kill")) {
            throw new IllegalArgumentException("a policy is skip, queue, overlap or kill, not \"" + policy + "\"");
        }
        return new Job(name, every, jitter, Policy.valueOf(policy.toUpperCase(Locale.ROOT)), parts.group(4));
    }

    private static Duration duration(String what, String text) {
        Matcher parts = Pattern.compile("([1-9][0-9]{0,8})(ms|s|m|h)").matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    what + " takes a time such as 500ms, 2s, 5m or 1h, not \"" + text + "\"");
        }
        return Duration.of(
                Long.parseLong(parts.group(1)),
                switch (parts.group(2)) {
                    case "ms" -> ChronoUnit.MILLIS;
                    case "s" -> ChronoUnit.SECONDS;
                    case "m" -> ChronoUnit.MINUTES;
                    default -> ChronoUnit.HOURS;
                });
    }
}
