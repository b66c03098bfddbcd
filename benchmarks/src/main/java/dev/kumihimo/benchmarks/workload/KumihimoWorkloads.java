package dev.kumihimo.benchmarks.workload;

import static dev.kumihimo.benchmarks.workload.HelloServer.BUFFER_SIZE;
import static dev.kumihimo.benchmarks.workload.HelloServer.answer;
import static dev.kumihimo.benchmarks.workload.HelloServer.drop;
import static dev.kumihimo.benchmarks.workload.HelloServer.endOfRequest;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.ByteStreams;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.DelayQueue;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** The workloads on Kumihimo. */
final class KumihimoWorkloads extends Workloads {
    private static final Duration LONG = Duration.ofNanos(TIMEOUT_NANOS);

    private final TaskRuntime runtime = runtime(Program.workers());

    KumihimoWorkloads() {
        super("kumihimo");
        add("spawn_many", KumihimoWorkloads::spawnMany);
        add("joinset", KumihimoWorkloads::joinSet);
        add("yield", KumihimoWorkloads::yields);
        add("chained_spawn", KumihimoWorkloads::chainedSpawn);
        add("spawn_ping_pong", KumihimoWorkloads::spawnPingPong);
        add("park_ping_pong", KumihimoWorkloads::parkPingPong);
        add("channel_1x1_cap1", n -> transfer(1, Channel.bounded(1), n));
        add("channel_1x1_cap16", n -> transfer(1, Channel.bounded(16), n));
        add("channel_1x1_cap128", n -> transfer(1, Channel.bounded(128), n));
        add("channel_1x1_cap1024", n -> transfer(1, Channel.bounded(1024), n));
        add("channel_8x1_cap128", n -> transfer(8, Channel.bounded(128), n));
        add("rendezvous", n -> transfer(1, Channel.rendezvous(), n));
        add("unbounded_1x1", n -> transfer(1, Channel.unbounded(), n));
        add("channel_1x1_cap100", n -> transfer(1, Channel.bounded(100), n));
        new ChannelShapes<>(new KumihimoChannels(), () -> new KumihimoTasks(runtime)).addJoxTo(this);
        add("select1_cap0", n -> select(1, 0, n));
        add("select2_cap0", n -> select(2, 0, n));
        add("select2", n -> select(2, 16, n));
        add("semaphore_uncontended", n -> semaphore(n, false));
        add("semaphore_yield", n -> semaphore(n, true));
        add("timeout", KumihimoWorkloads::timeouts);
        add("timeout_1000", n -> together(TIMEOUT_TASKS, () -> timeouts(n / TIMEOUT_TASKS)));
        add("sleep", Sleeps.of(() -> new KumihimoTasks(runtime), nanos -> Task.sleep(Duration.ofNanos(nanos))));
        add("delay_queue", new DelayQueues<>(KumihimoWorkloads::delayQueue));
        Delays.addTo(this, KumihimoHost::new, 1, 2);
        KumihimoTls.addTo(this);
        addProbe("timers_million", TimerLateness::inTasks);
        addProbe("driver_cpu_unread", DriverCpu::unread);
        addProbe("driver_cpu_idle", DriverCpu::idle);
    }

    static TaskRuntime runtime(int workers) {
        return TaskRuntime.builder().workerThreads(workers).name("bench").build();
    }

    @Override
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        return runtime.spawn(body::call).join();
    }

    /** Waits until it has been counted down to zero; for one waiting task. */
    private static final class Latch {
        private final AtomicInteger remaining;
        private final Semaphore zero = Semaphore.of(0);

        Latch(int count) {
            remaining = new AtomicInteger(count);
        }

        void countDown() {
            if (remaining.decrementAndGet() == 0) {
                zero.release(1);
            }
        }

        void await() throws InterruptedException {
            zero.acquire().forget();
        }
    }

    private static void spawnMany(int n) throws InterruptedException {
        var latch = new Latch(n);
        for (int i = 0; i < n; i++) {
            Task.spawn(latch::countDown);
        }
        latch.await();
    }

    private static void joinSet(int n) throws InterruptedException {
        try (var set = JoinSet.<Object>open()) {
            for (int i = 0; i < n; i++) {
                set.spawn(() -> ITEM);
            }
            for (int i = 0; i < n; i++) {
                set.joinNext();
            }
        }
    }

    private static void yields(int n) throws InterruptedException, ExecutionException {
        together(YIELDING_TASKS, () -> {
            for (int i = 0; i < n / YIELDING_TASKS; i++) {
                Task.yieldNow();
            }
        });
    }

    private static void chainedSpawn(int n) throws InterruptedException {
        var done = new Latch(1);
        link(n, done);
        done.await();
    }

    private static void link(int depth, Latch done) {
        if (depth == 0) {
            done.countDown();
        } else {
            Task.spawn(() -> link(depth - 1, done));
        }
    }

    private static void spawnPingPong(int n) throws InterruptedException {
        for (int batch = 0; batch < n / PING_PONG_PAIRS; batch++) {
            var latch = new Latch(PING_PONG_PAIRS);
            for (int i = 0; i < PING_PONG_PAIRS; i++) {
                Task.spawn(() -> {
                    Channel<Object> ping = Channel.bounded(1);
                    Channel<Object> pong = Channel.bounded(1);
                    Task.spawn(() -> pong.send(ping.receive()));
                    ping.send(ITEM);
                    check(pong.receive());
                    latch.countDown();
                });
            }
            latch.await();
        }
    }

    private static void parkPingPong(int n) throws InterruptedException, ExecutionException {
        Channel<Object> pings = Channel.bounded(1);
        Channel<Object> pongs = Channel.bounded(1);
        var left = Task.spawn(() -> {
            for (int i = 0; i < n; i++) {
                pings.send(ITEM);
                check(pongs.receive());
            }
        });
        var right = Task.spawn(() -> {
            for (int i = 0; i < n; i++) {
                pongs.send(pings.receive());
            }
        });
        left.join();
        right.join();
    }

    private static void transfer(int producers, Channel<Object> channel, int n)
            throws InterruptedException, ExecutionException {
        int each = n / producers;
        var consumer = Task.spawn(() -> {
            for (int i = 0; i < each * producers; i++) {
                check(channel.receive());
            }
        });
        together(producers, () -> {
            for (int i = 0; i < each; i++) {
                channel.send(ITEM);
            }
        });
        consumer.join();
    }

    private static void select(int clauses, int capacity, int n) throws InterruptedException, ExecutionException {
        var channels = new KumihimoChannels();
        var left = channels.open(capacity);
        var right = channels.open(capacity);
        int each = n / clauses;
        var consumer = Task.spawn(() -> {
            for (int i = 0; i < each * clauses; i++) {
                var select = Select.of().onReceive(left, item -> item);
                check((clauses == 1 ? select : select.onReceive(right, item -> item)).await());
            }
        });
        for (var channel : List.of(left, right).subList(0, clauses)) {
            Task.spawn(() -> {
                for (int i = 0; i < each; i++) {
                    channel.send(ITEM);
                }
            });
        }
        consumer.join();
    }

    private static void semaphore(int n, boolean yielding) throws InterruptedException, ExecutionException {
        var semaphore = Semaphore.of(PERMITS);
        together(SEMAPHORE_TASKS, () -> {
            for (int i = 0; i < n / SEMAPHORE_TASKS; i++) {
                try (var permit = semaphore.acquire()) {
                    if (yielding) {
                        Task.yieldNow();
                    }
                }
            }
        });
    }

    private static void timeouts(int n) {
        for (int i = 0; i < n; i++) {
            try {
                Timeout.call(LONG, Task::yieldNow);
            } catch (TimeoutException e) {
                throw new IllegalStateException("a timeout has struck early", e);
            }
        }
    }

    private static DelayQueues.Queue<DelayQueue.Key> delayQueue() {
        var queue = DelayQueue.<Integer>create();
        return new DelayQueues.Queue<>() {
            @Override
            public DelayQueue.Key insert(Integer item, long nanos) {
                return queue.insert(item, Duration.ofNanos(nanos));
            }

            @Override
            public boolean remove(DelayQueue.Key key) {
                return queue.tryRemove(key) != null;
            }

            @Override
            public boolean reset(DelayQueue.Key key, long nanos) {
                return queue.tryReset(key, Duration.ofNanos(nanos));
            }

            @Override
            public Integer take() throws InterruptedException {
                return queue.take().value();
            }
        };
    }

    private static void together(int tasks, VoidBody<InterruptedException> body)
            throws InterruptedException, ExecutionException {
        var handles = new ArrayList<JoinHandle<?>>(tasks);
        for (int i = 0; i < tasks; i++) {
            handles.add(Task.spawn(body));
        }
        for (var handle : handles) {
            handle.join();
        }
    }

    @Override
    public boolean parks() {
        return true;
    }

    @Override
    public ParkedTasks park(int tasks) throws InterruptedException {
        var gate = Semaphore.of(0);
        var started = new Latch(tasks);
        var handles = new ArrayList<JoinHandle<?>>(tasks);
        for (int i = 0; i < tasks; i++) {
            handles.add(Task.spawn(() -> {
                started.countDown();
                gate.acquire().forget();
            }));
        }
        started.await();
        return () -> {
            gate.release(tasks);
            for (var handle : handles) {
                handle.join();
            }
        };
    }

    @Override
    public boolean serves() {
        return true;
    }

    @Override
    public int serve() throws IOException {
        var listener = TcpListener.bind("127.0.0.1", 0);
        runtime.spawn(() -> {
            while (true) {
                var connection = listener.accept();
                Task.spawn(() -> answerAll(connection));
            }
        });
        return listener.localAddress().getPort();
    }

    @Override
    public boolean proxies() {
        return true;
    }

    @Override
    public int proxy(int targetPort) throws IOException {
        var target = new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort);
        var listener = TcpListener.bind("127.0.0.1", 0);
        runtime.spawn(() -> TcpServer.serve(listener, client -> {
            try (var server = TcpStream.connect(target)) {
                client.noDelay(true);
                server.noDelay(true);
                ByteStreams.copyBidirectional(client, server, PROXY_BUFFER_SIZE);
            }
        }));
        return listener.localAddress().getPort();
    }

    private static void answerAll(TcpStream connection) {
        try (connection) {
            connection.noDelay(true);
            var answer = answer();
            for (boolean open = true; open; ) {
                try (var piece = connection.read(BufferPool.shared(), BUFFER_SIZE)) {
                    open = piece != null && answerAll(connection, piece.buffer(), answer);
                }
            }
        } catch (IOException e) {
            // The peer went away.
        }
    }

    /** Answers what has been read, and reads on while that ends in the middle of a request. False if the peer has ended. */
    private static boolean answerAll(TcpStream connection, ByteBuffer read, ByteBuffer answer) throws IOException {
        read.position(read.limit()).limit(read.capacity());
        while (true) {
            for (int end; (end = endOfRequest(read)) >= 0; drop(read, end)) {
                connection.writeAll(answer.rewind());
            }
            if (read.position() == 0) {
                return true;
            }
            if (connection.read(read) <= 0) {
                return false;
            }
        }
    }

    @Override
    public void close() {
        runtime.close();
    }
}
