package dev.kumihimo.test.planted;

import static dev.kumihimo.test.planted.PlantedBug.check;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import java.util.ArrayList;
import java.util.List;

/** What goes wrong between those who wait and those who grant. */
final class BrokenWaits {
    private BrokenWaits() {}

    /* ---------------- Permits ---------------- */

    /** Permits, each for the one that has waited longest. */
    private static final class Permits extends WaitPoint {
        private final boolean broken;
        private final WaitQueue waiters = new WaitQueue();
        private int free;

        Permits(boolean broken) {
            this.broken = broken;
        }

        void acquire() throws InterruptedException {
            Wait wait;
            lock();
            try {
                if (free > 0) {
                    free--;
                    return;
                }
                wait = Wait.at(this);
                waiters.add(wait);
            } finally {
                unlock();
            }
            wait.await();
        }

        void release() {
            WakeList woken = new WakeList();
            lock();
            free++;
            WaitNode node;
            while (free > 0 && (node = waiters.poll()) != null) {
                boolean granted = node.grant();
                if (granted) {
                    woken.add(node);
                }
                if (granted || broken) { // the bug: nobody has got it
                    free--;
                }
            }
            unlock();
            woken.wakeAll();
        }
    }

    /** One permit, two who want it, one of whom gives up. */
    static void permitOfACancelledWaiterDropped(boolean broken) throws Exception {
        Permits permits = new Permits(broken);
        JoinHandle<?> first = Task.spawn(() -> {
            permits.acquire();
            permits.release();
        });
        JoinHandle<?> second = Task.spawn(permits::acquire);
        JoinHandle<?> releaser = Task.spawn(permits::release);
        first.abort();
        releaser.join();
        second.join();
    }

    /** Permits that are handed over, or put back for whoever comes first. */
    private static final class Turns extends Monitor {
        private final boolean barging;
        private final List<Integer> arrived = new ArrayList<>();
        private final List<Integer> served = new ArrayList<>();
        private int free = 1;
        private int waiting;
        private int handedOver;

        Turns(boolean barging) {
            this.barging = barging;
        }

        void acquire(int who) throws InterruptedException {
            lock();
            try {
                arrived.add(who);
                if (free > 0 && (barging || waiting == 0)) {
                    free--;
                } else {
                    waiting++;
                    await();
                    while (barging && free == 0) {
                        await();
                    }
                    waiting--;
                    if (barging) {
                        free--;
                    } else {
                        handedOver--;
                    }
                }
                served.add(who);
            } finally {
                unlock();
            }
        }

        void release() {
            lock();
            if (barging || waiting == handedOver) {
                free++;
            } else {
                handedOver++;
            }
            unlockAndWake(1);
        }
    }

    static void handOffOutOfOrder(boolean broken) throws Exception {
        Turns turns = new Turns(broken);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int who = i;
            tasks.add(Task.spawn(() -> {
                turns.acquire(who);
                turns.release();
            }));
        }
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
        check(turns.arrived.equals(turns.served), "came " + turns.arrived + ", served " + turns.served);
    }

    /* ---------------- A gate ---------------- */

    private static final class Gate extends WaitPoint {
        private final WaitQueue waiters = new WaitQueue();
        private boolean open;

        /** Looks, and registers later. */
        void awaitUnlooked() throws InterruptedException {
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

        void await() throws InterruptedException {
            Wait wait;
            lock();
            try {
                if (open) {
                    return;
                }
                wait = Wait.at(this);
                waiters.add(wait);
            } finally {
                unlock();
            }
            wait.await();
        }

        void open(boolean all) {
            WakeList woken = new WakeList();
            lock();
            open = true;
            WaitNode node;
            while ((node = waiters.poll()) != null) {
                if (node.grant()) {
                    woken.add(node);
                    if (!all) {
                        break; // the bug: the others wait on
                    }
                }
            }
            unlock();
            woken.wakeAll();
        }
    }

    static void looksThenParks(boolean broken) throws Exception {
        Gate gate = new Gate();
        JoinHandle<?> waiter = Task.spawn(() -> {
            if (broken) {
                gate.awaitUnlooked();
            } else {
                gate.await();
            }
        });
        gate.open(true);
        waiter.join();
    }

    static void closeWakesOne(boolean broken) throws Exception {
        Gate gate = new Gate();
        JoinHandle<?> first = Task.spawn(gate::await);
        JoinHandle<?> second = Task.spawn(gate::await);
        gate.open(!broken);
        first.join();
        second.join();
    }

    /* ---------------- A select ---------------- */

    private static final class Box extends WaitPoint {
        private final boolean broken;
        private final WaitQueue takers = new WaitQueue();
        private int items;

        Box(boolean broken) {
            this.broken = broken;
        }

        void put() {
            WakeList woken = new WakeList();
            lock();
            items++;
            WaitNode node;
            while (items > 0 && (node = takers.poll()) != null) {
                boolean granted = node.grant();
                if (granted) {
                    woken.add(node);
                }
                if (granted || broken) { // the bug: the other arm was first, and this one is done as well
                    items--;
                }
            }
            unlock();
            woken.wakeAll();
        }

        boolean tryTake() {
            lock();
            boolean there = items > 0;
            items -= there ? 1 : 0;
            unlock();
            return there;
        }

        /** Registers for a select; null if there is something already. */
        WaitNode enqueue(Wait wait) {
            lock();
            try {
                if (items > 0) {
                    return null;
                }
                WaitNode node = new WaitNode(this, wait);
                takers.add(node);
                return node;
            } finally {
                unlock();
            }
        }
    }

    /** Whoever has nothing in either waits for the first; an item that comes between is found by the next look. */
    private static void takeFromEither(Box left, Box right) throws InterruptedException {
        while (!left.tryTake() && !right.tryTake()) {
            Wait wait = Wait.forAny();
            WaitNode[] nodes = {left.enqueue(wait), null};
            wait.register(nodes);
            if (nodes[0] == null) {
                continue;
            }
            nodes[1] = right.enqueue(wait);
            if (nodes[1] == null) {
                left.lock();
                boolean undecided = nodes[0].grant(); // for nobody: it is withdrawn
                left.withdraw(nodes[0], new WakeList());
                left.unlock();
                if (!undecided) {
                    return;
                }
                continue;
            }
            wait.awaitAny();
            return;
        }
    }

    static void selectCommitsTwoArms(boolean broken) throws Exception {
        Box left = new Box(broken);
        Box right = new Box(broken);
        JoinHandle<?> one = Task.spawn(left::put);
        JoinHandle<?> other = Task.spawn(right::put);
        takeFromEither(left, right);
        one.join();
        other.join();
        check(
                left.items + right.items == 1,
                "left=" + left.items + ", right=" + right.items + " of 2, and 1 was taken");
    }

    /* ---------------- A lock for readers and writers ---------------- */

    private static final class ReadersWriter extends WaitPoint {
        private final boolean broken;
        private final WaitQueue waiters = new WaitQueue();
        private int readers;
        private boolean writer;

        ReadersWriter(boolean broken) {
            this.broken = broken;
        }

        /** @param share 0 to write, 1 to read */
        void take(int share) throws InterruptedException {
            Wait wait;
            lock();
            try {
                if (waiters.isEmpty() && fits(share)) {
                    return;
                }
                wait = Wait.at(this);
                wait.count = share;
                waiters.add(wait);
            } finally {
                unlock();
            }
            wait.await();
        }

        private boolean fits(int share) {
            if (writer || share == 0 && readers > 0) {
                return false;
            }
            readers += share;
            writer = share == 0;
            return true;
        }

        void giveBack(int share) {
            WakeList woken = new WakeList();
            lock();
            readers -= share;
            writer = false;
            serve(woken);
            unlock();
            woken.wakeAll();
        }

        private void serve(WakeList woken) {
            for (WaitNode head; (head = waiters.peek()) != null; ) {
                int share = head.count;
                if (!fits(share)) {
                    return;
                }
                waiters.remove(head);
                if (head.grant()) {
                    woken.add(head);
                } else {
                    readers -= share;
                    writer = false;
                }
            }
        }

        @Override
        protected void afterAbandon(WakeList woken) {
            if (!broken) {
                serve(woken);
            }
        }
    }

    static void cancelledWriterHoldsReadersUp(boolean broken) throws Exception {
        ReadersWriter lock = new ReadersWriter(broken);
        lock.take(1);
        JoinHandle<?> writer = Task.spawn(() -> {
            lock.take(0);
            lock.giveBack(0);
        });
        JoinHandle<?> reader = Task.spawn(() -> {
            lock.take(1);
            lock.giveBack(1);
        });
        Task.yieldNow();
        writer.abort();
        reader.join();
        lock.giveBack(1);
    }

    /* ---------------- One value ---------------- */

    private static final class Once extends WaitPoint {
        private final boolean broken;
        private final WaitQueue receivers = new WaitQueue();
        private Object value;

        Once(boolean broken) {
            this.broken = broken;
        }

        void send(Object sent) {
            WakeList woken = new WakeList();
            lock();
            WaitNode node = receivers.poll();
            if (node != null) {
                node.item = sent;
            }
            if (node != null && node.grant()) {
                woken.add(node);
            } else {
                value = sent;
            }
            unlock();
            woken.wakeAll();
        }

        Object receive() throws InterruptedException {
            Wait wait;
            lock();
            try {
                if (value != null) {
                    Object there = value;
                    value = null;
                    return there;
                }
                wait = Wait.at(this);
                receivers.add(wait);
            } finally {
                unlock();
            }
            wait.await();
            if (broken) {
                Task.checkCancelled(); // the bug: it has the value
            }
            return wait.item;
        }
    }

    static void valueLostOnCancelAfterHandOff(boolean broken) throws Exception {
        Once once = new Once(broken);
        JoinHandle<Object> receiver = Task.spawn(() -> once.receive());
        JoinHandle<?> sender = Task.spawn(() -> once.send("value"));
        receiver.abort();
        sender.join();
        JoinResult<Object> result = receiver.result();
        boolean received = result instanceof JoinResult.Success;
        check(received != (once.value != null), "received=" + received + ", still there: " + once.value);
    }

    /* ---------------- A park and an unpark ---------------- */

    /** As the JDK's: a permit, of which there is one at most. */
    private static final class Parker extends Monitor {
        private boolean permit;

        void park() throws InterruptedException {
            lock();
            try {
                if (!permit) {
                    await();
                }
                permit = false;
            } finally {
                unlock();
            }
        }

        void unpark() {
            lock();
            permit = true;
            unlockAndWake(1);
        }
    }

    /** Two events, of which each is told by an unpark: who counts parks misses one, who looks again does not. */
    static void twoUnparksTakenForTwo(boolean broken) throws Exception {
        Parker parker = new Parker();
        int[] events = {0};
        JoinHandle<?> consumer = Task.spawn(() -> {
            for (int seen = 0; seen < 2; ) {
                parker.park();
                seen = broken ? seen + 1 : events[0];
            }
        });
        for (int i = 0; i < 2; i++) {
            events[0]++;
            parker.unpark();
        }
        consumer.join();
    }

    /** An unpark that is meant for an earlier wait ends a later one. */
    static void noLoopAroundThePark(boolean broken) throws Exception {
        Parker parker = new Parker();
        boolean[] set = new boolean[2];
        JoinHandle<?> waiter = Task.spawn(() -> {
            for (int i = 0; i < 2; i++) {
                if (broken && !set[i]) {
                    parker.park();
                }
                while (!broken && !set[i]) {
                    parker.park();
                }
                check(set[i], "woken, and " + i + " is not set");
            }
        });
        for (int i = 0; i < 2; i++) {
            set[i] = true;
            parker.unpark();
        }
        waiter.join();
    }

    /* ---------------- An interrupt ---------------- */

    private static final class Stubborn extends Monitor {
        private boolean there;

        void take(boolean broken) throws InterruptedException {
            lock();
            try {
                while (!there) {
                    try {
                        await();
                    } catch (InterruptedException e) {
                        if (!broken) {
                            throw e;
                        }
                        awaitUninterruptibly(); // the bug: nobody may ever come
                    }
                }
            } finally {
                unlock();
            }
        }
    }

    static void interruptSwallowed(boolean broken) throws Exception {
        Stubborn stubborn = new Stubborn();
        JoinHandle<?> taker = Task.spawn(() -> stubborn.take(broken));
        Task.yieldNow();
        taker.abort();
        try {
            taker.result();
        } finally {
            stubborn.lock();
            stubborn.there = true;
            stubborn.unlockAndWakeAll();
        }
    }

    /* ---------------- Nodes that are used again ---------------- */

    private static final class Node {
        Node next;
        int owners;
    }

    /** A stack of idle nodes as lock-free code has it: a head, and a compare-and-set of it. */
    private static final class IdleNodes extends Monitor {
        private final boolean stamped;
        private Node head;
        private int stamp;

        IdleNodes(boolean stamped) {
            this.stamped = stamped;
        }

        Node pop() throws Exception {
            while (true) {
                int[] seen = {0};
                Node top = locked(() -> {
                    seen[0] = stamp;
                    return head;
                });
                if (top == null) {
                    return null;
                }
                Node next = top.next; // the bug: the top may go, and come back over another
                if (locked(() -> replace(top, next, seen[0]))) {
                    top.owners++;
                    check(top.owners == 1, "a node has two owners");
                    return top;
                }
            }
        }

        void push(Node node) throws Exception {
            node.owners--;
            boolean done;
            do {
                int[] seen = {0};
                node.next = locked(() -> {
                    seen[0] = stamp;
                    return head;
                });
                done = locked(() -> replace(node.next, node, seen[0]));
            } while (!done);
        }

        private boolean replace(Node expected, Node next, int seen) {
            if (head != expected || stamped && stamp != seen) {
                return false;
            }
            head = next;
            stamp++;
            return true;
        }
    }

    static void nodeReusedUnderAPop(boolean broken) throws Exception {
        IdleNodes nodes = new IdleNodes(!broken);
        for (int i = 0; i < 2; i++) {
            Node node = new Node();
            node.owners = 1;
            nodes.push(node);
        }
        JoinHandle<?> other = Task.spawn(() -> nodes.pop());
        Node first = nodes.pop();
        Node second = nodes.pop();
        if (first != null) {
            nodes.push(first);
        }
        other.join();
        Node last = nodes.pop();
        check(second == null || last != second, "a node has two owners");
    }
}
