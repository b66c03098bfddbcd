package dev.kumihimo.benchmarks.workload;

import com.softwaremill.jox.Channel;
import com.softwaremill.jox.Select;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** The channel workloads on Jox, on the JDK's default scheduler. Jox has no semaphores, timers or sockets of its own. */
final class JoxWorkloads extends Workloads {
    JoxWorkloads() {
        super("jox");
        add("park_ping_pong", JoxWorkloads::parkPingPong);
        add("channel_1x1_cap1", n -> transfer(1, Channel.newBufferedChannel(1), n));
        add("channel_1x1_cap16", n -> transfer(1, Channel.newBufferedChannel(16), n));
        add("channel_1x1_cap128", n -> transfer(1, Channel.newBufferedChannel(128), n));
        add("channel_1x1_cap1024", n -> transfer(1, Channel.newBufferedChannel(1024), n));
        add("channel_8x1_cap128", n -> transfer(8, Channel.newBufferedChannel(128), n));
        add("rendezvous", n -> transfer(1, Channel.newRendezvousChannel(), n));
        add("unbounded_1x1", n -> transfer(1, Channel.newUnlimitedChannel(), n));
        add("select2", JoxWorkloads::select2);
    }

    @Override
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        return VirtualThreads.call(body);
    }

    private static void parkPingPong(int n) throws InterruptedException {
        var pings = Channel.<Object>newBufferedChannel(1);
        var pongs = Channel.<Object>newBufferedChannel(1);
        new VirtualThreads()
                .start(() -> {
                    for (int i = 0; i < n; i++) {
                        pings.send(ITEM);
                        check(pongs.receive());
                    }
                })
                .start(() -> {
                    for (int i = 0; i < n; i++) {
                        pongs.send(pings.receive());
                    }
                })
                .join();
    }

    private static void transfer(int producers, Channel<Object> channel, int n) throws InterruptedException {
        int each = n / producers;
        new VirtualThreads()
                .start(() -> {
                    for (int i = 0; i < each * producers; i++) {
                        check(channel.receive());
                    }
                })
                .start(producers, () -> {
                    for (int i = 0; i < each; i++) {
                        channel.send(ITEM);
                    }
                })
                .join();
    }

    private static void select2(int n) throws InterruptedException {
        var left = Channel.<Object>newBufferedChannel(16);
        var right = Channel.<Object>newBufferedChannel(16);
        int each = n / 2;
        new VirtualThreads()
                .start(() -> {
                    for (int i = 0; i < each * 2; i++) {
                        check(Select.select(left.receiveClause(), right.receiveClause()));
                    }
                })
                .start(() -> {
                    for (int i = 0; i < each; i++) {
                        left.send(ITEM);
                    }
                })
                .start(() -> {
                    for (int i = 0; i < each; i++) {
                        right.send(ITEM);
                    }
                })
                .join();
    }
}
