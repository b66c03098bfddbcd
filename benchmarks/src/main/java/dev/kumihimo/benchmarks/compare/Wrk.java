package dev.kumihimo.benchmarks.compare;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** The load generator for the servers: {@code wrk} with one thread. */
final class Wrk {
    private static final Pattern REQUESTS = Pattern.compile("(\\d+) requests in ");
    private static final Pattern RATE = Pattern.compile("Requests/sec:\\s+([0-9.]+)");
    private static final Pattern TROUBLE = Pattern.compile("(Socket errors:|Non-2xx)[^\\n]*");

    private final String command =
            Optional.ofNullable(System.getenv("KUMIHIMO_BENCH_WRK")).orElse("wrk");
    private final Child.Setting setting;

    Wrk(Child.Setting setting) {
        this.setting = setting;
    }

    /** What one run of the generator saw. */
    record Load(long requests, double perSecond) {}

    /** Why there is no load generator here; empty if there is one. */
    Optional<String> absence() throws InterruptedException {
        try {
            // It has no option that succeeds without a server: its version comes with the usage, and exit status 1.
            Child.linesOf(setting, Duration.ofSeconds(30), List.of("sh", "-c", "command -v " + command));
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("wrk: not found");
        }
    }

    Load load(int connections, int seconds, int port) throws IOException, InterruptedException {
        var line = "exec " + command + " -t1 -c" + connections + " -d" + seconds + "s http://127.0.0.1:" + port + "/";
        var limit = Duration.ofSeconds(seconds + 30L);
        var output = String.join("\n", Child.linesOf(setting, limit, List.of("sh", "-c", line)));
        var trouble = TROUBLE.matcher(output);
        if (trouble.find()) {
            throw new IOException(trouble.group());
        }
        var requests = REQUESTS.matcher(output);
        var rate = RATE.matcher(output);
        if (!requests.find() || !rate.find()) {
            throw new IOException("not understood: " + output);
        }
        return new Load(Long.parseLong(requests.group(1)), Double.parseDouble(rate.group(1)));
    }
}
