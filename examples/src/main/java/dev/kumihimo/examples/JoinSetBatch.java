package dev.kumihimo.examples;

import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.task.JoinSet;

/** Runs five blocking jobs at once and prints their results as they complete; {@code --fail N} makes job N throw. */
public final class JoinSetBatch {
    private static final int JOBS = 5;

    private JoinSetBatch() {}

    /**
     * Runs the batch.
     *
     * @param args nothing, or {@code --fail N} with N from 0 to 4
     * @throws InterruptedException if the program is interrupted
     */
    public static void main(String[] args) throws InterruptedException {
        int failing = parse(args);
        TaskRuntime.run(() -> {
            try (var set = JoinSet.<String>open()) {
                for (int i = 0; i < JOBS; i++) {
                    int job = i;
                    set.spawnBlocking(() -> process(job, failing));
                }
                for (JoinResult<String> result; (result = set.joinNext()) != null; ) {
                    switch (result) {
                        case JoinResult.Success<String>(var line) -> System.out.println(line);
                        case JoinResult.Failure<String>(var e) ->
                            System.err.println("Background job failed: " + e.getMessage());
                        case JoinResult.Cancelled<String>(var reason) ->
                            System.err.println("Background job cancelled: " + reason);
                    }
                }
            }
        });
    }

    private static String process(int job, int failing) throws InterruptedException {
        Thread.sleep(50L * job); // stands for a call that blocks its thread
        if (job == failing) {
            throw new IllegalStateException("processor " + job + " broke down");
        }
        return "Processor " + job + " finished iteration";
    }

    private static int parse(String[] args) {
        if (args.length == 0) {
            return -1;
        }
        if (args.length == 1 && args[0].equals("--help")) {
            System.out.println("usage: JoinSetBatch [--fail N]    N, the job that fails, from 0 to " + (JOBS - 1));
            System.exit(0);
        }
        if (args.length == 2 && args[0].equals("--fail") && args[1].matches("[0-" + (JOBS - 1) + "]")) {
            return Integer.parseInt(args[1]);
        }
        System.err.println("cannot read \"" + String.join(" ", args) + "\": give nothing, or --fail N with N from 0 to "
                + (JOBS - 1));
        System.exit(2);
        return -1;
    }
}
