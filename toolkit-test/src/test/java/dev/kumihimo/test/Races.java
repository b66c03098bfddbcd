package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import java.util.ArrayList;
import java.util.List;

/** Planted races, of which is known how many switches at points they take. */
final class Races {
    private Races() {}

    /** A counter whose lock guards the read and the write, and not what lies between. */
    static final class Account extends WaitPoint {
        private int balance;

        int read() {
            lock();
            try {
                return balance;
            } finally {
                unlock();
            }
        }

        void write(int value) {
            lock();
            try {
                balance = value;
            } finally {
                unlock();
            }
        }

        @Override
        public String toString() {
            return "account";
        }
    }

    /** Takes one: between a read and the write. */
    static void lostUpdate() throws Exception {
        lostUpdates(1, 1);
    }

    /** The same, with more tasks and more done by each. */
    static void lostUpdates(int tasks, int times) throws Exception {
        Account account = new Account();
        List<JoinHandle<?>> others = new ArrayList<>();
        for (int i = 0; i < tasks; i++) {
            others.add(Task.spawn(() -> add(account, times)));
        }
        add(account, times);
        for (JoinHandle<?> other : others) {
            other.join();
        }
        assertThat(account.read()).isEqualTo((tasks + 1) * times);
    }

    private static void add(Account account, int times) {
        for (int i = 0; i < times; i++) {
            account.write(account.read() + 1);
        }
    }

    /** A gate that is looked at before one registers, and not again: what opens it in between wakes nobody. */
    private static final class Gate extends WaitPoint {
        private final WaitQueue waiters = new WaitQueue();
        private boolean open;

        void await() throws InterruptedException {
            lock();
            boolean isOpen = open;
            unlock();
            if (isOpen) {
                return;
            }
            Wait wait = Wait.at(this);
            lock();
            waiters.add(wait); // the bug: it may have been opened
            unlock();
            wait.await();
        }

        void open() {
            lock();
            open = true;
            var node = waiters.poll();
            boolean granted = node != null && node.grant();
            unlock();
            if (granted) {
                node.owner().wake();
            }
        }

        @Override
        public String toString() {
            return "gate " + (open ? "open" : "closed");
        }
    }

    /** Takes two: the opener is switched before it opens, and the waiter between its look and its registration. */
    static void lostWakeup() throws Exception {
        Gate gate = new Gate();
        JoinHandle<?> waiter = Task.spawn(gate::await);
        gate.open();
        waiter.join();
    }

    /** Takes none: who yields first is overtaken, unless it was started later. */
    static void orderAssumed() throws Exception {
        List<String> order = new ArrayList<>();
        JoinHandle<?> first = Task.spawn(() -> order.add("first"));
        JoinHandle<?> second = Task.spawn(() -> order.add("second"));
        first.join();
        second.join();
        assertThat(order).containsExactly("first", "second");
    }
}
