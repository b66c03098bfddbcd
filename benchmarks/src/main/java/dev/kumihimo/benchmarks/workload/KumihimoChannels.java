package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.channel.Channel;

/** Kumihimo's channels. */
final class KumihimoChannels implements Channels<Channel<Object>> {
    @Override
    public Channel<Object> open(int capacity) {
        return switch (capacity) {
            case 0 -> Channel.rendezvous();
            case Queues.UNBOUNDED -> Channel.unbounded();
            default -> Channel.bounded(capacity);
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
