package dev.kumihimo.benchmarks.workload;

import com.softwaremill.jox.Channel;
import com.softwaremill.jox.Select;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** The channel workloads on Jox, on the JDK's default scheduler. Jox has no semaphores, timers or sockets of its own. */
final class JoxWorkloads extends Workloads {
    JoxWorkloads() {
        super("jox");
        new ChannelShapes<>(new JoxChannels(), VirtualThreads::new).addTo(this);
        add("select1_cap0", n -> select(1, 0, n));
        add("select2_cap0", n -> select(2, 0, n));
        add("select2", n -> select(2, 16, n));
    }

    @Override
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        return VirtualThreads.call(body);
    }

    private static void select(int clauses, int capacity, int n) throws InterruptedException {
        var channels = new JoxChannels();
        var left = channels.open(capacity);
        var right = channels.open(capacity);
        int each = n / clauses;
        var tasks = new VirtualThreads();
        tasks.start(() -> {
            for (int i = 0; i < each * clauses; i++) {
                check(
                        clauses == 1
                                ? Select.select(left.receiveClause())
                                : Select.select(left.receiveClause(), right.receiveClause()));
            }
        });
        for (var channel : List.of(left, right).subList(0, clauses)) {
            tasks.start(() -> {
                for (int i = 0; i < each; i++) {
                    channel.send(ITEM);
                }
            });
        }
        tasks.join();
    }

    /** Jox's channels. */
    private static final class JoxChannels implements Channels<Channel<Object>> {
        @Override
        public Channel<Object> open(int capacity) {
            return switch (capacity) {
                case 0 -> Channel.newRendezvousChannel();
                case Queues.UNBOUNDED -> Channel.newUnlimitedChannel();
                default -> Channel.newBufferedChannel(capacity);
            };
        }

        @Override
        public void send(Channel<Object> channel, Object item) throws InterruptedException {
            channel.send(item);
        }

        @Override
        public Object receive(Channel<Object> channel) throws InterruptedException {
            return channel.receive();
        }
    }
}
