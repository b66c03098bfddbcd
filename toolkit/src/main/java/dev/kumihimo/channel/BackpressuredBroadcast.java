package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;

/**
 * Sends each item to every receiver, and waits while the slowest of them is a full buffer behind, so that nobody misses
 * anything.
 *
 * <pre>{@code
 * BackpressuredBroadcast<Row> rows = Broadcast.backpressured(64);
 * Broadcast.Receiver<Row> index = rows.subscribe();
 * Broadcast.Receiver<Row> archive = rows.subscribe();
 * rows.send(row); // at the pace of the slower one
 * }</pre>
 *
 * <p>Any thread may call any method; all receivers get the items in the one order in which they were sent. With no receiver a
 * send never waits, and nothing is kept of the item. A receiver that is forgotten without being closed stops the senders
 * for ever: open it in a try-with-resources statement.
 *
 * <p><b>Waiting and fairness.</b> Sends are served strictly in the order of arrival: by a receiver that reads what it alone had
 * not read, or is closed. Nobody barges in.
 *
 * <p><b>Interruption and cancellation.</b> A send that can complete at once does, also in a cancelled or interrupted thread,
 * except that every 128 of them a task yields and looks. One that would wait throws {@link InterruptedException} (a
 * {@code TaskCancelledException} if cancelled). If it throws, nobody has got or will get the item; if it returns, all will.
 *
 * <p><b>Closing.</b> After {@link #close()} sends throw {@link ChannelClosedException}, those that wait included; a receiver
 * still gets what it has not read, and then its end.
 *
 * <p><b>Memory.</b> What a thread did before it sent an item happens-before what another does after it received it.
 *
 * @param <T> the items, never null
 * @since 0.1
 */
public final class BackpressuredBroadcast<T> extends Broadcasting<T> {
    BackpressuredBroadcast(BroadcastCore core) {
        super(core);
    }

    /**
     * Sends an item to all receivers, waiting for room in the buffer.
     *
     * @param item not null
     * @return how many receivers there were when it was sent, which all can read it; 0 if nobody can
     * @throws InterruptedException if interrupted or cancelled while it would wait; the item was not sent
     * @throws ChannelClosedException if the broadcast is closed, before or while it waits; the item was not sent
     */
    public int send(T item) throws InterruptedException {
        Objects.requireNonNull(item, "item");
        Waiter.spend();
        WakeList woken = new WakeList();
        Wait wait = null;
        int reached;
        core.lock();
        try {
            ensureOpen(core.closed);
            reached = core.offer(item, woken);
            if (reached == BroadcastCore.FULL) {
                wait = register(item);
            }
        } finally {
            core.unlock();
        }
        if (wait != null) {
            wait.await();
            return sent(wait);
        }
        woken.wakeAll();
        return reached;
    }

    /**
     * Sends an item to all receivers, waiting for room at most a given time.
     *
     * @param item not null
     * @param timeout the longest wait; zero or negative does not wait
     * @return how many receivers there were when it was sent, which all can read it; 0 if nobody can
     * @throws InterruptedException if interrupted or cancelled while it would wait; the item was not sent
     * @throws TimeoutException if there was no room in time; the item was not sent
     * @throws ChannelClosedException if the broadcast is closed, before or while it waits; the item was not sent
     */
    public int send(T item, Duration timeout) throws InterruptedException, TimeoutException {
        Objects.requireNonNull(item, "item");
        Waiter.spend();
        boolean mayWait = !timeout.isNegative() && !timeout.isZero();
        long deadline = mayWait ? TimerService.deadline(Waiter.current().nanoTime(), timeout) : 0;
        WakeList woken = new WakeList();
        Wait wait = null;
        int reached;
        core.lock();
        try {
            ensureOpen(core.closed);
            reached = core.offer(item, woken);
            if (reached == BroadcastCore.FULL && mayWait) {
                wait = register(item);
            }
        } finally {
            core.unlock();
        }
        if (wait != null) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("no room in " + core + " within " + timeout);
            }
            return sent(wait);
        }
        if (reached == BroadcastCore.FULL) {
            throw new TimeoutException("no room in " + core);
        }
        woken.wakeAll();
        return reached;
    }

    /**
     * Sends an item to all receivers, of which there may be none, if that needs no waiting.
     *
     * @param item not null
     * @return false if the buffer is full, because of what the slowest receiver has not read
     * @throws ChannelClosedException if the broadcast is closed
     */
    public boolean trySend(T item) {
        return offer(item) != BroadcastCore.FULL;
    }

    private Wait register(Object item) {
        Wait wait = Wait.at(core);
        wait.item = item;
        core.awaitRoom(wait);
        return wait;
    }

    private static int sent(Wait wait) {
        if (wait.item == SubscriptionPoint.END) {
            throw new ChannelClosedException("the broadcast was closed while the send waited for room");
        }
        return wait.count;
    }
}
