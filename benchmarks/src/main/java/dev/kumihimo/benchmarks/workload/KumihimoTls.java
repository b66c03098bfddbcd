package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.tls.TlsClient;
import dev.kumihimo.tls.TlsServer;
import dev.kumihimo.tls.TlsStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/** The workloads of TLS on Kumihimo. */
final class KumihimoTls {
    private KumihimoTls() {}

    static void addTo(Workloads workloads) {
        workloads.add("tls_bulk", KumihimoTls::bulk);
        workloads.add("tls_handshake", n -> handshakes(n, false));
        workloads.add("tls_resume", n -> handshakes(n, true));
    }

    private static TlsServer server() {
        return TlsServer.builder().context(TlsSetting.get().context()).build();
    }

    private static void bulk(int pieces) throws ExecutionException, IOException, InterruptedException {
        try (var listener = TcpListener.bind("localhost", 0)) {
            JoinHandle<Long> receiver = Task.spawn(() -> {
                try (var stream = server().wrap(listener.accept())) {
                    var buffer = ByteBuffer.allocate(TlsSetting.PIECE);
                    long received = 0;
                    for (int count; (count = stream.read(buffer.clear())) >= 0; ) {
                        received += count;
                    }
                    return received;
                }
            });
            int port = listener.localAddress().getPort();
            var client = TlsClient.builder().context(TlsSetting.get().context()).build();
            try (var stream = client.wrap(TcpStream.connect("localhost", port), "localhost", port)) {
                var piece = ByteBuffer.allocate(TlsSetting.PIECE);
                for (int i = 0; i < pieces; i++) {
                    stream.writeAll(piece.clear());
                }
                stream.shutdownOutput();
                if (receiver.join() != (long) pieces * TlsSetting.PIECE) {
                    throw new IllegalStateException("bytes are missing");
                }
            }
        }
    }

    private static void handshakes(int n, boolean resuming)
            throws ExecutionException, IOException, InterruptedException {
        try (var listener = TcpListener.bind("localhost", 0)) {
            var server = server();
            var accepting = Task.spawn(() -> {
                while (true) {
                    var accepted = listener.accept();
                    Task.spawn(() -> answer(server, accepted));
                }
            });
            int port = listener.localAddress().getPort();
            var resumes =
                    TlsClient.builder().context(TlsSetting.get().context()).build();
            List<JoinHandle<?>> clients = new ArrayList<>();
            for (int i = 0; i < TlsSetting.CLIENTS; i++) {
                clients.add(Task.spawn(() -> {
                    for (int left = n / TlsSetting.CLIENTS; left > 0; left--) {
                        var client = resuming
                                ? resumes
                                : TlsClient.builder()
                                        .context(TlsSetting.get().newContext())
                                        .build();
                        ask(client, port);
                    }
                }));
            }
            for (var client : clients) {
                client.join();
            }
            accepting.abort();
            accepting.result();
        }
    }

    private static void answer(TlsServer server, TcpStream accepted) throws IOException {
        accepted.noDelay(true);
        try (var stream = server.wrap(accepted)) {
            var one = ByteBuffer.allocate(1);
            stream.read(one);
            stream.writeAll(one.flip());
            stream.read(one.clear()); // the end
        }
    }

    private static void ask(TlsClient client, int port) throws IOException {
        var transport = TcpStream.connect("localhost", port);
        transport.noDelay(true);
        try (TlsStream stream = client.wrap(transport, "localhost", port)) {
            var one = ByteBuffer.allocate(1);
            stream.writeAll(one);
            stream.read(one.clear());
        }
    }
}
