package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** A mailbox with a bug, to show that the matrix finds it: as many items as are put, each for one receiver, in order. */
final class Planted extends Subject {
    enum Bug {
        NONE,
        /** A receiver that gave up is counted as served. */
        ITEM_LOST_ON_CANCEL,
        /** An item that was handed over stays in the box, too. */
        ITEM_DOUBLED,
        /** Who was served, and finds itself cancelled, throws. */
        THROWS_THOUGH_SERVED,
        /** As before, for the time. */
        TIMES_OUT_THOUGH_SERVED,
        /** Who runs out of time takes an item nevertheless, and says that it has none. */
        TAKES_THOUGH_TIMED_OUT,
        /** Whoever gives up leaves its node in the queue. */
        NODE_LEFT,
        /** Whoever comes last is served first. */
        LAST_FIRST,
        /** The one that is served is not woken. */
        NOT_WOKEN,
        /** Only the first is told of the close. */
        CLOSE_TELLS_ONE,
        /** Looks, and registers later. */
        LOOKS_THEN_REGISTERS,
        /** Goes on waiting after an interrupt. */
        INTERRUPT_SWALLOWED,
        /** Throws, and leaves the flag set. */
        INTERRUPT_TOLD_TWICE,
        /** Arms a timer and forgets it. */
        TIMER_LEFT,
        /** An abort arrives as a plain interrupt. */
        REASON_LOST,
        /** An item given up by who was served with it is not handed on to who waits. */
        NOT_HANDED_ON,
        /** Nothing ends a wait but an item. */
        UNCANCELLABLE
    }

    private static final class Box extends WaitPoint {
        private final Bug bug;
        private final ArrayDeque<Integer> items = new ArrayDeque<>();
        private final WaitQueue receivers = new WaitQueue();
        private boolean closed;

        Box(Bug bug) {
            this.bug = bug;
        }

        void put(Integer item) {
            WakeList woken = new WakeList();
            lock();
            items.add(item);
            serve(woken);
            unlock();
            woken.wakeAll();
        }

        private void serve(WakeList woken) {
            while (!items.isEmpty() && !receivers.isEmpty()) {
                WaitNode node = bug == Bug.LAST_FIRST ? receivers.pollLast() : receivers.poll();
                node.item = items.peek();
                boolean granted = node.grant();
                if (granted && bug != Bug.NOT_WOKEN) {
                    woken.add(node);
                }
                if (granted && bug != Bug.ITEM_DOUBLED || bug == Bug.ITEM_LOST_ON_CANCEL) {
                    items.poll();
                }
                if (granted && bug == Bug.ITEM_DOUBLED) {
                    return;
                }
            }
        }

        @Override
        public void withdraw(WaitNode node, WakeList woken) {
            if (bug != Bug.NODE_LEFT) {
                super.withdraw(node, woken);
            }
        }

        void close() {
            WakeList woken = new WakeList();
            lock();
            closed = true;
            while (!receivers.isEmpty()) {
                WaitNode node = receivers.poll();
                node.item = null;
                if (node.grant()) {
                    woken.add(node);
                }
                if (bug == Bug.CLOSE_TELLS_ONE) {
                    break;
                }
            }
            unlock();
            woken.wakeAll();
        }

        private Integer now() {
            Integer item = items.poll();
            if (item == null && closed) {
                throw new ChannelClosedException("closed");
            }
            return item;
        }

        Integer tryTake() {
            lock();
            try {
                return now();
            } finally {
                unlock();
            }
        }

        Integer take(long deadline) throws InterruptedException, TimeoutException {
            if (bug == Bug.LOOKS_THEN_REGISTERS) {
                Integer item = tryTake();
                if (item != null) {
                    return item;
                }
            }
            Wait wait;
            lock();
            try {
                Integer item = bug == Bug.LOOKS_THEN_REGISTERS ? null : now();
                if (item != null) {
                    return item;
                }
                wait = Wait.at(this);
                receivers.add(wait);
            } finally {
                unlock();
            }
            if (bug == Bug.TIMER_LEFT) {
                Waiter.current().timers().arm(Waiter.current().nanoTime() + 60_000_000_000L, () -> {});
            }
            boolean granted = await(wait, deadline);
            if (!granted && bug == Bug.TAKES_THOUGH_TIMED_OUT) {
                tryTake();
            }
            if (!granted
                    || bug == Bug.TIMES_OUT_THOUGH_SERVED && Waiter.current().nanoTime() >= deadline) {
                throw new TimeoutException("nothing came");
            }
            if (wait.item == null) {
                throw new ChannelClosedException("closed");
            }
            if (bug == Bug.THROWS_THOUGH_SERVED) {
                Task.checkCancelled();
            }
            return giveUp((Integer) wait.item);
        }

        /** Where an item can be given up by who was served: it is put back, and should be handed on. */
        private Integer giveUp(Integer item) throws InterruptedException {
            if (bug == Bug.NOT_HANDED_ON) {
                try {
                    Task.checkCancelled();
                } catch (InterruptedException e) {
                    lock();
                    items.addFirst(item);
                    unlock();
                    throw e;
                }
            }
            return item;
        }

        private boolean await(Wait wait, long deadline) throws InterruptedException {
            if (bug == Bug.UNCANCELLABLE) {
                return wait.awaitUninterruptibly(deadline);
            }
            try {
                if (deadline != Long.MAX_VALUE) {
                    return wait.await(deadline);
                }
                wait.await();
                return true;
            } catch (TaskCancelledException e) {
                if (bug == Bug.REASON_LOST) {
                    throw new InterruptedException();
                }
                throw e;
            } catch (InterruptedException e) {
                if (bug == Bug.INTERRUPT_SWALLOWED) {
                    Wait again = Wait.at(this);
                    lock();
                    receivers.add(again);
                    unlock();
                    return await(again, deadline);
                }
                if (bug == Bug.INTERRUPT_TOLD_TWICE) {
                    Thread.currentThread().interrupt();
                }
                throw e;
            }
        }

        @Override
        public String toString() {
            return "a mailbox with a bug: " + bug;
        }
    }

    private final Box box;
    private final List<Integer> sent = new ArrayList<>();
    private final List<Integer> received = new ArrayList<>();

    Planted(Bug bug) {
        box = new Box(bug);
    }

    @Override
    Object op(int who) throws Exception {
        return noted(box.take(Long.MAX_VALUE));
    }

    @Override
    Object op(int who, Duration timeout) throws Exception {
        if (timeout.isZero()) {
            Integer item = box.tryTake();
            if (item == null) {
                throw new TimeoutException("nothing there");
            }
            return noted(item);
        }
        return noted(box.take(TimerService.deadline(Waiter.current().nanoTime(), timeout)));
    }

    private Integer noted(Integer item) {
        received.add(item);
        return item;
    }

    @Override
    void tryGrant() {
        Integer item = sent.size();
        sent.add(item);
        box.put(item);
    }

    @Override
    boolean closes() {
        return true;
    }

    @Override
    void close() {
        box.close();
    }

    @Override
    boolean couldGo(int first) {
        return !box.items.isEmpty();
    }

    @Override
    long rank(Object value) {
        return (Integer) value;
    }

    @Override
    void check(List<Outcome> outcomes) {
        received.addAll(box.items);
        box.items.clear();
        ensureEqual(received.stream().sorted().toList(), sent, "received");
    }
}
