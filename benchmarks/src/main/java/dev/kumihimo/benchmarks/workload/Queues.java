package dev.kumihimo.benchmarks.workload;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.SynchronousQueue;

/** The queues of {@code java.util.concurrent} as channels. */
enum Queues implements Channels<BlockingQueue<Object>> {
    /** {@link ArrayBlockingQueue}; it is never without a buffer, so there {@link SynchronousQueue} stands in. */
    ARRAY {
        @Override
        public BlockingQueue<Object> open(int capacity) {
            if (capacity == UNBOUNDED) {
                return new LinkedBlockingQueue<>();
            }
            return capacity == 0 ? new SynchronousQueue<>() : new ArrayBlockingQueue<>(capacity);
        }

        @Override
        public void send(BlockingQueue<Object> queue, Object item) throws InterruptedException {
            queue.put(item);
        }
    },

    /** {@link LinkedTransferQueue}, which has no bound: a producer never waits, whatever the capacity. */
    TRANSFER {
        @Override
        public BlockingQueue<Object> open(int capacity) {
            return capacity == 0 ? new HandOver() : new LinkedTransferQueue<>();
        }

        @Override
        public void send(BlockingQueue<Object> queue, Object item) throws InterruptedException {
            if (queue instanceof HandOver handOver) {
                handOver.transfer(item);
            } else {
                queue.put(item);
            }
        }
    };

    /** The capacity of a channel without bound. */
    static final int UNBOUNDED = Integer.MAX_VALUE;

    @Override
    public Object receive(BlockingQueue<Object> queue) throws InterruptedException {
        return queue.take();
    }

    /** One whose producers wait for a consumer. */
    private static final class HandOver extends LinkedTransferQueue<Object> {
        private static final long serialVersionUID = 1;
    }
}
