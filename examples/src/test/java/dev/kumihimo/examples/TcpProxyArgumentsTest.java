package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TcpProxyArgumentsTest {
    @TempDir
    private Path folder;

    @Test
    void badArguments_areOneSentenceAndExitCode2() throws Exception {
        Map<List<String>, String> cases = new LinkedHashMap<>();
        cases.put(List.of("9000", "80"), "TARGET is HOST:PORT, not \"80\"");
        cases.put(List.of("9000", "x:y"), "TARGET is HOST:PORT, not \"x:y\"");
        cases.put(List.of("9000", "x:0"), "the port of TARGET \"x:0\" is not a number from 1 to 65535");
        cases.put(List.of("99999", "x:1"), "the port of LISTEN \"99999\" is not a number from 0 to 65535");
        cases.put(List.of("::1:80", "x:1"), "LISTEN is [HOST:]PORT, not \"::1:80\"");
        cases.put(List.of("9000"), "LISTEN and TARGET have to be given, and no more");
        Map<List<String>, Program> programs = new LinkedHashMap<>();
        try {
            for (List<String> arguments : cases.keySet()) { // all at once, since a JVM takes its time
                Path own = Files.createDirectory(folder.resolve(Integer.toString(programs.size())));
                programs.put(arguments, Program.start(own, "TcpProxy", arguments.toArray(new String[0])));
            }
            for (List<String> arguments : cases.keySet()) {
                Program program = programs.get(arguments);
                assertThat(program.ended()).isEqualTo(2);
                assertThat(program.err()).isEqualTo("TcpProxy: " + cases.get(arguments) + ". See TcpProxy --help.\n");
                assertThat(program.out()).isEmpty();
            }
        } finally {
            programs.values().forEach(Program::close);
        }
    }

    @Test
    void help_tellsTheUsage() throws Exception {
        try (Program program = Program.start(folder, "TcpProxy", "--help")) {
            assertThat(program.ended()).isZero();
            assertThat(program.out()).contains("usage: TcpProxy LISTEN TARGET");
        }
    }

    @Test
    void busyPort_isOneSentenceAndExitCode1() throws Exception {
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Program program = Program.start(folder, "TcpProxy", Integer.toString(busy.getLocalPort()), "x:1")) {
            assertThat(program.ended()).isEqualTo(1);
            assertThat(program.err().lines().filter(line -> line.startsWith("TcpProxy")))
                    .containsExactly("TcpProxy: cannot listen on 127.0.0.1:" + busy.getLocalPort()
                            + ": Address already in use.");
        }
    }
}
