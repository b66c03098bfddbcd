package dev.kumihimo.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.OperatingSystemMXBean;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server whose process has no descriptors left: a JVM of its own, with few. */
class DescriptorExhaustionTest {
    private static final int DESCRIPTORS = 200;
    private static final int ROUNDS = 5;
    private static final int CPU_PERCENT = 5;
    private static final int MEDIAN_MILLIS = 200;
    private static final int MEASUREMENTS = 4; // at most: others on this machine may disturb one

    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void server_backsOff_servesOn_andAcceptsAgain() throws Exception {
        Path prlimit = Path.of("/usr/bin/prlimit");
        assumeTrue(Files.isExecutable(prlimit), "prlimit of util-linux sets the limit");
        Map<String, String> told = runChild(List.of(prlimit.toString(), "--nofile=" + DESCRIPTORS + ":" + DESCRIPTORS));
        assertThat(told.get("accept")).as("what an accept throws").contains("Too many open files");
        assertThat(Double.parseDouble(told.get("cpu")))
                .as("percent of a core while exhausted, of which nothing is: %s", told.get("idle-cpu"))
                .isLessThan(CPU_PERCENT);
        assertThat(told.get("echoes")).as("of sessions that were there").isEqualTo("all");
        assertThat(told.get("refused")).as("while nothing was released").isEqualTo("none accepted");
        assertThat(Double.parseDouble(told.get("median-ms")))
                .as("from release to accept, in ms: %s", told.get("rounds-ms"))
                .isLessThan(MEDIAN_MILLIS);
        assertThat(told.get("own")).as("after a session of ours has ended").isEqualTo("accepted");
        assertThat(told.get("warnings")).as("not one for each attempt").isIn("1", "2", "3");
        assertThat(told.get("end")).isEqualTo("Report[accepted=" + told.get("sessions") + ", aborted=[], left=[]]");
    }

    private static Map<String, String> runChild(List<String> prefix) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:-MaxFDLimit", "-Xmx128m", "--add-opens", "java.base/java.lang=ALL-UNNAMED"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Child.class.getName()));
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output;
        try {
            output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(child.waitFor(60, TimeUnit.SECONDS)).as(output).isTrue();
        } finally {
            child.destroyForcibly();
        }
        assertThat(child.exitValue()).as(output).isZero();
        Map<String, String> told = new HashMap<>();
        for (String line : output.lines().toList()) {
            int colon = line.indexOf(": ");
            if (line.startsWith("> ")) {
                told.put(line.substring(2, colon), line.substring(colon + 2));
            }
        }
        told.put("output", output);
        return told;
    }

    /** Takes all descriptors itself, and tells what happens. Its clients are blocking sockets that were made before. */
    static final class Child {
        private final TaskRuntime runtime = Loopback.runtime(2);
        private final TcpListener listener = TcpListener.bind(Loopback.HOST, 0);
        private final TcpServer<TcpStream> server = TcpServer.of(listener);
        private final Deque<SocketChannel> unconnected = new ArrayDeque<>();
        private final List<SocketChannel> connected = new ArrayList<>();
        private final Deque<InputStream> hoard = new ArrayDeque<>();
        private final OperatingSystemMXBean system =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

        private Child() throws IOException {}

        public static void main(String[] args) throws Exception {
            new Child().run();
        }

        private void run() throws Exception {
            try (Serving.Log log = new Serving.Log()) {
                var serving = runtime.spawn(() -> server.serve(Serving::echo));
                for (int i = 0; i < 8; i++) {
                    unconnected.add(SocketChannel.open());
                    connectNext();
                }
                echoAll();
                for (int i = 0; i < MEASUREMENTS * ROUNDS + 4; i++) {
                    unconnected.add(SocketChannel.open());
                }
                // Once without looking, so that what is needed is loaded: classes are files, and failing to open one is
                // for good.
                exhaust();
                connectNext();
                cpuPercentOfAWhile(200);
                releaseUntilAnswered();
                echoAll();

                exhaust();
                tell("idle-cpu", cpuPercentOfAWhile(500)); // nobody wants in yet
                connectNext();
                long before = server.accepted();
                double cpu = CPU_PERCENT;
                for (int i = 0; i < MEASUREMENTS && cpu >= CPU_PERCENT; i++) {
                    cpu = cpuPercentOfAWhile(2_500);
                }
                tell("cpu", cpu);
                tell("refused", server.accepted() == before ? "none accepted" : server.accepted() + " accepted");
                tell("accept", acceptFailure());
                echoAll(connected.subList(0, connected.size() - 1));
                tell("echoes", "all");
                releaseUntilAnswered();
                echoAll();

                double median = MEDIAN_MILLIS;
                for (int i = 0; i < MEASUREMENTS && median >= MEDIAN_MILLIS; i++) {
                    median = measureRounds();
                }
                tell("median-ms", median);
                exhaust();
                connectNext();
                cpuPercentOfAWhile(300); // by now it waits for as long as it ever does
                connected.remove(0).close(); // one descriptor is the client's, one its session's
                echoAll();
                tell("own", "accepted");

                tell(
                        "warnings",
                        log.events.stream()
                                .filter(e -> e.getFormattedMessage().contains("cannot accept"))
                                .count());
                for (SocketChannel client : connected) {
                    client.close();
                }
                server.stop();
                tell("end", serving.join().toString());
                tell("sessions", server.accepted());
            }
            runtime.close();
        }

        private static void tell(String name, Object what) {
            System.out.println("> " + name + ": " + what);
        }

        private double measureRounds() throws Exception {
            double[] took = new double[ROUNDS];
            for (int i = 0; i < ROUNDS; i++) {
                exhaust();
                connectNext();
                cpuPercentOfAWhile(600 + 90 * i); // at different points of its wait
                long begin = System.nanoTime();
                releaseUntilAnswered();
                took[i] = (System.nanoTime() - begin) / 1e6;
            }
            tell("rounds-ms", Arrays.toString(took));
            Arrays.sort(took);
            return took[ROUNDS / 2];
        }

        private void connectNext() throws IOException {
            SocketChannel client = unconnected.remove();
            client.connect(
                    new InetSocketAddress(Loopback.HOST, listener.localAddress().getPort()));
            connected.add(client);
        }

        /** Opens files until no more can be opened. */
        private void exhaust() {
            try {
                while (true) {
                    hoard.add(new FileInputStream("/dev/null"));
                }
            } catch (IOException e) {
                // that was the last one
            }
        }

        /** Gives one descriptor back, and waits until that has let the last client in. */
        private void releaseUntilAnswered() throws IOException {
            hoard.remove().close();
            echo(connected.get(connected.size() - 1));
        }

        private void echoAll() throws IOException {
            echoAll(connected);
        }

        private static void echoAll(List<SocketChannel> clients) throws IOException {
            for (SocketChannel client : clients) {
                echo(client);
            }
        }

        private static void echo(SocketChannel client) throws IOException {
            client.write(ByteBuffer.wrap(new byte[] {'a'}));
            if (client.read(ByteBuffer.allocate(1)) != 1) {
                throw new IOException("no answer");
            }
        }

        /** What a listener says, asked directly: a connection waits already. */
        private String acceptFailure() {
            try {
                return "accepted " + listener.accept();
            } catch (IOException e) {
                return e.toString();
            }
        }

        /** The time is what is measured, and not for anything to happen in. */
        private double cpuPercentOfAWhile(long millis) throws InterruptedException {
            long cpu = system.getProcessCpuTime();
            long begin = System.nanoTime();
            Thread.sleep(millis);
            return 100.0 * (system.getProcessCpuTime() - cpu) / (System.nanoTime() - begin);
        }
    }
}
