package dev.kumihimo.benchmarks.workload;

import static dev.kumihimo.benchmarks.workload.HelloServer.BUFFER_SIZE;
import static dev.kumihimo.benchmarks.workload.HelloServer.answer;
import static dev.kumihimo.benchmarks.workload.HelloServer.drop;
import static dev.kumihimo.benchmarks.workload.HelloServer.endOfRequest;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/**
 * The workloads on the JDK's default scheduler with the nearest of {@code java.util.concurrent}. There is nothing like a
 * select, so that row stays empty.
 */
final class JdkWorkloads extends Workloads {
    JdkWorkloads() {
        super("jdk");
        add("spawn_many", JdkWorkloads::spawnMany);
        add("joinset", JdkWorkloads::joinSet);
        add("yield", JdkWorkloads::yields);
        add("chained_spawn", JdkWorkloads::chainedSpawn);
        add("spawn_ping_pong", JdkWorkloads::spawnPingPong);
        new ChannelShapes<>(Queues.ARRAY, VirtualThreads::new).addTo(this);
        add("semaphore_uncontended", n -> semaphore(n, false));
        add("semaphore_yield", n -> semaphore(n, true));
        addTimeouts(Timers::executor);
        add("sleep", Sleeps.of(VirtualThreads::new, nanos -> Thread.sleep(Duration.ofNanos(nanos))));
        add("delay_queue", new DelayQueues<>(DelayQueues::ofJdk));
        Delays.addTo(this, carriers -> new JdkHost(), Program.workers());
        JdkTls.addTo(this);
        addProbe("timers_million", TimerLateness::inExecutor);
    }

    @Override
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        return VirtualThreads.call(body);
    }

    private static void spawnMany(int n) throws InterruptedException {
        var latch = new CountDownLatch(n);
        for (int i = 0; i < n; i++) {
            Thread.startVirtualThread(latch::countDown);
        }
        latch.await();
    }

    private static void joinSet(int n) throws InterruptedException, ExecutionException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var set = new ExecutorCompletionService<Object>(executor);
            for (int i = 0; i < n; i++) {
                set.submit(() -> ITEM);
            }
            for (int i = 0; i < n; i++) {
                check(set.take().get());
            }
        }
    }

    private static void yields(int n) throws InterruptedException {
        new VirtualThreads()
                .start(YIELDING_TASKS, () -> {
                    for (int i = 0; i < n / YIELDING_TASKS; i++) {
                        Thread.yield();
                    }
                })
                .join();
    }

    private static void chainedSpawn(int n) throws InterruptedException {
        var done = new CountDownLatch(1);
        link(n, done);
        done.await();
    }

    private static void link(int depth, CountDownLatch done) {
        if (depth == 0) {
            done.countDown();
        } else {
            Thread.startVirtualThread(() -> link(depth - 1, done));
        }
    }

    private static void spawnPingPong(int n) throws InterruptedException {
        for (int batch = 0; batch < n / PING_PONG_PAIRS; batch++) {
            var latch = new CountDownLatch(PING_PONG_PAIRS);
            for (int i = 0; i < PING_PONG_PAIRS; i++) {
                Thread.startVirtualThread(() -> {
                    var ping = new CompletableFuture<Object>();
                    var pong = new CompletableFuture<Object>();
                    Thread.startVirtualThread(() -> pong.complete(ping.join()));
                    ping.complete(ITEM);
                    check(pong.join());
                    latch.countDown();
                });
            }
            latch.await();
        }
    }

    /** Fair, as the semaphores of Kumihimo and Tokio are. */
    private static void semaphore(int n, boolean yielding) throws InterruptedException {
        var semaphore = new Semaphore(PERMITS, true);
        new VirtualThreads()
                .start(SEMAPHORE_TASKS, () -> {
                    for (int i = 0; i < n / SEMAPHORE_TASKS; i++) {
                        semaphore.acquire();
                        if (yielding) {
                            Thread.yield();
                        }
                        semaphore.release();
                    }
                })
                .join();
    }

    @Override
    public boolean parks() {
        return true;
    }

    @Override
    public ParkedTasks park(int tasks) throws InterruptedException {
        var gate = new Semaphore(0);
        var started = new CountDownLatch(tasks);
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        var handles = new ArrayList<Future<?>>(tasks);
        for (int i = 0; i < tasks; i++) {
            handles.add(executor.submit(() -> {
                started.countDown();
                gate.acquire();
                return null;
            }));
        }
        started.await();
        return () -> {
            gate.release(tasks);
            for (var handle : handles) {
                handle.get();
            }
            executor.close();
        };
    }

    @Override
    public boolean serves() {
        return true;
    }

    @Override
    public int serve() throws IOException {
        var listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
        Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    var connection = listener.accept();
                    Thread.startVirtualThread(() -> answerAll(connection));
                }
            } catch (IOException e) {
                throw new IllegalStateException("cannot accept", e);
            }
        });
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    @Override
    public boolean proxies() {
        return true;
    }

    @Override
    public int proxy(int targetPort) throws IOException {
        var target = new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort);
        var listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
        Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    var client = listener.accept();
                    Thread.startVirtualThread(() -> relay(client, target));
                }
            } catch (IOException e) {
                throw new IllegalStateException("cannot accept", e);
            }
        });
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    private static void relay(SocketChannel client, InetSocketAddress target) {
        try (client;
                var server = SocketChannel.open(target)) {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            server.setOption(StandardSocketOptions.TCP_NODELAY, true);
            var back = Thread.startVirtualThread(() -> copyUntilEnd(server, client));
            copyUntilEnd(client, server);
            back.join();
        } catch (IOException | InterruptedException e) {
            // One of them went away.
        }
    }

    private static void copyUntilEnd(SocketChannel from, SocketChannel to) {
        var buffer = ByteBuffer.allocateDirect(PROXY_BUFFER_SIZE);
        try {
            while (from.read(buffer) >= 0) {
                for (buffer.flip(); buffer.hasRemaining(); ) {
                    to.write(buffer);
                }
                buffer.clear();
            }
            to.shutdownOutput();
        } catch (IOException e) {
            closeBoth(from, to); // which ends the other direction
        }
    }

    private static void closeBoth(SocketChannel one, SocketChannel other) {
        try (one;
                other) {
            // Nothing else is to be done with them.
        } catch (IOException e) {
            // They are closed.
        }
    }

    private static void answerAll(SocketChannel connection) {
        try (connection) {
            connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
            var buffer = ByteBuffer.allocateDirect(BUFFER_SIZE);
            var answer = answer();
            while (connection.read(buffer) > 0) {
                for (int end; (end = endOfRequest(buffer)) >= 0; drop(buffer, end)) {
                    for (answer.rewind(); answer.hasRemaining(); ) {
                        connection.write(answer);
                    }
                }
            }
        } catch (IOException e) {
            // The peer went away.
        }
    }
}
