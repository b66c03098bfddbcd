package dev.kumihimo.benchmarks.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ProxyTest {
    @ParameterizedTest
    @ValueSource(strings = {"kumihimo", "jdk"})
    void aProxyPassesOnBytesAndEnds(String column) throws Exception {
        var loopback = InetAddress.getLoopbackAddress();
        try (var workloads = Workloads.of(column);
                var target = new ServerSocket(0, 10, loopback);
                var client = new Socket(loopback, workloads.proxy(target.getLocalPort()))) {
            assertThat(workloads.proxies()).isTrue();
            target.setSoTimeout(20_000);
            client.setSoTimeout(20_000);
            client.getOutputStream().write("question".getBytes(StandardCharsets.US_ASCII));
            client.shutdownOutput();
            try (var server = target.accept()) {
                server.setSoTimeout(20_000);
                assertThat(server.getInputStream().readAllBytes()).asString().isEqualTo("question");
                server.getOutputStream().write("answer".getBytes(StandardCharsets.US_ASCII));
            }
            assertThat(client.getInputStream().readAllBytes()).asString().isEqualTo("answer");
        }
    }
}
