package dev.kumihimo.benchmarks.workload;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** The workloads of TLS on the JDK's {@code SSLSocket}, in virtual threads. */
final class JdkTls {
    private JdkTls() {}

    static void addTo(Workloads workloads) {
        workloads.add("tls_bulk", JdkTls::bulk);
        workloads.add("tls_handshake", n -> handshakes(n, false));
        workloads.add("tls_resume", n -> handshakes(n, true));
    }

    private static SSLServerSocket listen() throws IOException {
        return (SSLServerSocket) TlsSetting.get()
                .context()
                .getServerSocketFactory()
                .createServerSocket(0, 4096, InetAddress.getLoopbackAddress());
    }

    private static SSLSocket connect(SSLContext context, int port) throws IOException {
        var socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port);
        var parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        return socket;
    }

    private static <T> FutureTask<T> start(Callable<T> body) {
        var task = new FutureTask<>(body);
        Thread.startVirtualThread(task);
        return task;
    }

    private static void bulk(int pieces) throws ExecutionException, IOException, InterruptedException {
        try (var listener = listen()) {
            FutureTask<Long> receiver = start(() -> {
                try (var socket = listener.accept()) {
                    var in = socket.getInputStream();
                    var buffer = new byte[TlsSetting.PIECE];
                    long received = 0;
                    for (int count; (count = in.read(buffer)) >= 0; ) {
                        received += count;
                    }
                    return received;
                }
            });
            try (var socket = connect(TlsSetting.get().context(), listener.getLocalPort())) {
                var out = socket.getOutputStream();
                var piece = new byte[TlsSetting.PIECE];
                for (int i = 0; i < pieces; i++) {
                    out.write(piece);
                }
                socket.shutdownOutput();
                if (receiver.get() != (long) pieces * TlsSetting.PIECE) {
                    throw new IllegalStateException("bytes are missing");
                }
            }
        }
    }

    private static void handshakes(int n, boolean resuming)
            throws ExecutionException, IOException, InterruptedException {
        try (var listener = listen()) {
            var accepting = start(() -> {
                while (true) {
                    var accepted = listener.accept();
                    start(() -> answer(accepted));
                }
            });
            List<FutureTask<?>> clients = new ArrayList<>();
            for (int i = 0; i < TlsSetting.CLIENTS; i++) {
                clients.add(start(() -> {
                    for (int left = n / TlsSetting.CLIENTS; left > 0; left--) {
                        var setting = TlsSetting.get();
                        ask(resuming ? setting.context() : setting.newContext(), listener.getLocalPort());
                    }
                    return true;
                }));
            }
            for (var client : clients) {
                client.get();
            }
            accepting.cancel(false);
        }
    }

    private static boolean answer(Socket accepted) throws IOException {
        try (accepted) {
            accepted.setTcpNoDelay(true);
            int one = accepted.getInputStream().read();
            accepted.getOutputStream().write(one);
            return accepted.getInputStream().read() < 0; // the end
        }
    }

    private static void ask(SSLContext context, int port) throws IOException {
        try (var socket = connect(context, port)) {
            socket.setTcpNoDelay(true);
            socket.getOutputStream().write(0);
            socket.getInputStream().read();
        }
    }
}
