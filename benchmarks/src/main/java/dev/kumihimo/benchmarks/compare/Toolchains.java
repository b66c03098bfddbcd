package dev.kumihimo.benchmarks.compare;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Finds, builds and describes the columns. */
final class Toolchains {
    /** All Java columns alike. */
    static final List<String> JAVA_OPTIONS = List.of("-XX:+UseParallelGC", "-Xms2g", "-Xmx2g");

    private static final Duration BUILD_LIMIT = Duration.ofMinutes(10);
    private static final Duration LIST_LIMIT = Duration.ofMinutes(1);
    private static final double NATIVE_WARM_UP = 0.25;

    private final Path home;
    private final Options options;
    private final Child.Setting setting;

    /** The folder is that of the benchmarks, where the peers' sources are and the builds go. */
    Toolchains(Path home, Options options) {
        this.home = home;
        this.options = options;
        this.setting = new Child.Setting(home, Map.of("WORKERS", Integer.toString(options.workers())));
    }

    Child.Setting setting() {
        return setting;
    }

    Column find(String name) throws InterruptedException {
        try {
            return switch (name) {
                case "tokio" -> tokio();
                case "go" -> go();
                case "socat" -> socat();
                default -> java(name);
            };
        } catch (IOException e) {
            return new Column.Absent(name, String.valueOf(e.getMessage()));
        }
    }

    private Column java(String name) throws IOException, InterruptedException {
        var command = javaCommand(options, name);
        var jdk = "JDK " + Runtime.version();
        var title = switch (name) {
            case "kumihimo" -> "Kumihimo on its own carriers, " + jdk;
            case "jdk" ->
                jdk + ", default virtual-thread scheduler, java.util.concurrent; channels: ArrayBlockingQueue";
            case "jox" -> "Jox " + jarVersion("channels") + ", default virtual-thread scheduler";
            case "abq_kumihimo" -> "ArrayBlockingQueue (SynchronousQueue without a buffer) on Kumihimo's carriers";
            case "ltq_jdk" -> "LinkedTransferQueue (without a bound in every row), default virtual-thread scheduler";
            case "ltq_kumihimo" -> "LinkedTransferQueue (without a bound in every row) on Kumihimo's carriers";
            case "stpe" -> "ScheduledThreadPoolExecutor of one thread, " + jdk;
            case "netty_wheel" ->
                "HashedWheelTimer of Netty " + jarVersion("netty-common") + ", ticks of 1 ms, used on the default"
                        + " virtual-thread scheduler";
            case "floor" -> "bare loops that switch between virtual threads, without a scheduler, " + jdk;
            case "netty_epoll" -> "Netty " + jarVersion("netty-transport") + ", epoll transport";
            default -> "Netty " + jarVersion("netty-transport") + ", NIO transport";
        };
        boolean rests = !name.equals("floor"); // its loops spin also while others have their turn
        return present(name, title, command, 1, rests);
    }

    /** What runs the program of a Java column. */
    static List<String> javaCommand(Options options, String... arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JAVA_OPTIONS);
        int workers = options.workers();
        command.add("-Djdk.virtualThreadScheduler.parallelism=" + workers);
        command.add("--add-opens=java.base/java.lang=ALL-UNNAMED"); // Kumihimo's own carriers
        if (Runtime.version().feature() >= 24) {
            // Netty's own transport and buffers, without which it would be slower than it is in practice.
            command.add("--enable-native-access=ALL-UNNAMED");
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        var more = System.getenv("KUMIHIMO_BENCH_JAVA_OPTIONS");
        if (more != null && !more.isBlank()) {
            command.addAll(List.of(more.strip().split("\\s+")));
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add("dev.kumihimo.benchmarks.workload.Program");
        command.addAll(List.of(arguments));
        return command;
    }

    private Column socat() throws IOException, InterruptedException {
        var version = shell("socat -V").stream()
                .filter(line -> line.startsWith("socat version"))
                .findFirst()
                .orElse("socat");
        var program = home.resolve("peers/socat/proxy.py").toString();
        return present("socat", version + ", a process for each connection", List.of("python3", program), 0, false);
    }

    private Column tokio() throws IOException, InterruptedException {
        var cargo = Optional.ofNullable(System.getenv("KUMIHIMO_BENCH_CARGO")).orElse("cargo");
        var sources = home.resolve("peers/rust");
        var build = home.resolve("target/peers/rust");
        shell(
                cargo + " build --quiet --release --manifest-path \"$1\" --target-dir \"$2\"",
                sources.resolve("Cargo.toml"),
                build);
        var compiler = shell(cargo + " --version").getFirst().replaceAll(" \\(.*", "");
        var lock = Files.readString(sources.resolve("Cargo.lock"));
        var version =
                Pattern.compile("name = \"tokio\"\\s+version = \"([^\"]+)\"").matcher(lock);
        return present(
                "tokio",
                "Tokio " + (version.find() ? version.group(1) : "") + ", multi_thread, root task spawned, fat LTO, "
                        + compiler,
                peer(build.resolve("release/kumihimo-peer-tokio")),
                NATIVE_WARM_UP,
                false);
    }

    private Column go() throws IOException, InterruptedException {
        var go = Optional.ofNullable(System.getenv("KUMIHIMO_BENCH_GO")).orElse("go");
        var program = home.resolve("target/peers/go/kumihimo-peer-go");
        shell(go + " build -C \"$1\" -o \"$2\" .", home.resolve("peers/go"), program);
        var version = shell(go + " version").getFirst().replace("go version go", "Go ");
        return present("go", version, peer(program), NATIVE_WARM_UP, false);
    }

    private List<String> peer(Path program) {
        var prefix = Optional.ofNullable(System.getenv("KUMIHIMO_BENCH_PEER")).orElse("");
        return List.of("sh", "-c", "exec " + prefix + " \"$0\" \"$@\"", program.toString());
    }

    private List<String> shell(String command, Path... arguments) throws IOException, InterruptedException {
        var words = new ArrayList<>(List.of("sh", "-c", command, "sh"));
        for (var argument : arguments) {
            words.add(argument.toString());
        }
        return Child.linesOf(setting, BUILD_LIMIT, words);
    }

    private Column present(String name, String title, List<String> command, double warmUpShare, boolean sharing)
            throws IOException, InterruptedException {
        var list = new ArrayList<>(command);
        list.add("list");
        var offers = Set.copyOf(Child.linesOf(setting, LIST_LIMIT, list));
        return new Column.Present(name, title, List.copyOf(command), warmUpShare, sharing, offers);
    }

    /** The version in the name of a library's file on the class path. */
    private static String jarVersion(String library) {
        var name = Pattern.compile(Pattern.quote(library) + "-([0-9][^" + Pattern.quote(File.separator) + "]*)\\.jar");
        for (var entry : System.getProperty("java.class.path").split(Pattern.quote(File.pathSeparator))) {
            var match = name.matcher(Path.of(entry).getFileName().toString());
            if (match.matches()) {
                return match.group(1);
            }
        }
        return "of unknown version";
    }
}
