package dev.kumihimo.benchmarks.compare;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** The load generator for proxies: {@code iperf3}, at both ends. */
final class Iperf {
    private static final Pattern RECEIVED =
            Pattern.compile("\"sum_received\":\\s*\\{[^}]*?\"seconds\":\\s*([0-9.e+]+),\\s*\"bytes\":\\s*(\\d+)");
    private static final Pattern TROUBLE = Pattern.compile("\"error\":\\s*\"([^\"]*)\"");
    private static final Duration START_LIMIT = Duration.ofSeconds(30);

    private final String command =
            Optional.ofNullable(System.getenv("KUMIHIMO_BENCH_IPERF")).orElse("iperf3");
    private final Child.Setting setting;

    Iperf(Child.Setting setting) {
        this.setting = setting;
    }

    /** What arrived of what was sent. */
    record Load(long bytes, double seconds) {
        double megabytesPerSecond() {
            return bytes / seconds / 1e6;
        }
    }

    /** Why there is no load generator here; empty if there is one. */
    Optional<String> absence() throws InterruptedException {
        try {
            Child.linesOf(setting, START_LIMIT, List.of("sh", "-c", command + " --version"));
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("iperf3: not found");
        }
    }

    /** Starts the receiving end, which listens when this returns. */
    Child receive(int port) throws IOException, InterruptedException {
        var line = "exec " + command + " -s -B 127.0.0.1 -p " + port + " --forceflush";
        var receiver = Child.start(setting, List.of("sh", "-c", line));
        try {
            receiver.next("Server", START_LIMIT); // listening on
            return receiver;
        } catch (IOException | InterruptedException e) {
            receiver.close();
            throw e;
        }
    }

    Load send(int connections, int seconds, int port) throws IOException, InterruptedException {
        var line = "exec " + command + " -c 127.0.0.1 -p " + port + " -P " + connections + " -t " + seconds + " -J";
        var limit = Duration.ofSeconds(seconds + 30L);
        return load(String.join("\n", Child.linesOf(setting, limit, List.of("sh", "-c", line))));
    }

    static Load load(String output) throws IOException {
        var trouble = TROUBLE.matcher(output);
        if (trouble.find()) {
            throw new IOException("iperf3: " + trouble.group(1));
        }
        var received = RECEIVED.matcher(output);
        if (!received.find()) {
            throw new IOException("not understood: " + output);
        }
        return new Load(Long.parseLong(received.group(2)), Double.parseDouble(received.group(1)));
    }

    /** A port that nobody listened on a moment ago. */
    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
