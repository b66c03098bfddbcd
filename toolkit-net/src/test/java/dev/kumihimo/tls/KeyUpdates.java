package dev.kumihimo.tls;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.nio.ByteBuffer;

/** A program that sends much in both directions at once over one connection. */
final class KeyUpdates {
    private static final int SIZE = 600_000;

    private KeyUpdates() {}

    public static void main(String[] arguments) throws Exception {
        try (TaskRuntime runtime = TlsPair.runtime(2);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            JoinHandle<Integer> up = runtime.spawn(() -> receive(pair.server()));
            JoinHandle<Integer> down = runtime.spawn(() -> receive(pair.client()));
            JoinHandle<?> first = runtime.spawn(() -> send(pair.client()));
            JoinHandle<?> second = runtime.spawn(() -> send(pair.server()));
            first.join();
            second.join();
            System.out.println("transferred " + up.join() + " and " + down.join());
        }
    }

    private static void send(TlsStream stream) throws java.io.IOException {
        for (int left = SIZE; left > 0; left -= 1000) {
            stream.writeAll(ByteBuffer.allocate(1000));
        }
    }

    private static int receive(TlsStream stream) throws java.io.IOException {
        ByteBuffer buffer = ByteBuffer.allocate(20_000);
        int received = 0;
        while (received < SIZE) {
            received += stream.read(buffer.clear());
        }
        return received;
    }
}
