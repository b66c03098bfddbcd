package dev.kumihimo.test.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.test.Rng;
import java.io.IOException;
import java.lang.invoke.MethodHandles;

/*
 * Algorithm: two wires and two ends under one lock. Nothing is delivered by anybody, see Wire: who waits at an end waits until
 * the next arrival there, or until somebody changes when that is, who wakes all that this concerns.
 *
 * Fields: all of the wires, and the queues and versions of the ends: guarded by the lock.
 * Linearization: reads, writes and closes: where the lock is held. An arrival: the time it was given, for whoever looks then.
 * Invariants: I1 who is in a queue has found nothing to do as of a time, and waits until the next arrival as of that time; if
 * that changes to an earlier one, or what it waits for comes about otherwise, all in the queue are granted. I2 a version is
 * counted up whenever its queue is granted, also if nobody is in it: a select that has computed its deadline before, and is not
 * enqueued yet, sees by that to look again.
 * Waiting: enqueued under the same holding of the lock in which it was found that there is nothing.
 * Cancellation: a wait that is given up leaves its queue and nothing else. Bytes are taken after the last wait of a call.
 * Order of locks: SimNet, then connection. A listener's is taken with no other held.
 * Checked by: the tests of parity (ParityOfDataTest and its like), SimNetFaultTest, SchedulesOfSimNetTest.
 */

/** A connection of a {@link SimNet}: where those at both its ends wait. */
final class Connection extends WaitPoint {
    static {
        try {
            Wire.prepare(MethodHandles.lookup());
        } catch (IllegalAccessException e) {
            throw new ExceptionInInitializerError(e);
        }
        prepare(MethodHandles.lookup(), WaitQueue.class, End.class);
    }

    final SimNet net;
    final End client;
    final End server;
    final WaitQueue connecting = new WaitQueue();

    Connection(SimNet net, HostPort from, HostPort to, Rng rng) {
        this.net = net;
        Wire toServer = new Wire(rng.split());
        Wire toClient = new Wire(rng.split());
        client = new End(this, from, to, toClient, toServer);
        server = new End(this, to, from, toServer, toClient);
        client.peer = server;
        server.peer = client;
    }

    /** {@return from the host that connects to the other} */
    SimNet.Way way() {
        return new SimNet.Way(client.local.host(), client.remote.host());
    }

    /** What is done under the lock. */
    interface Action {
        void run(long now, WakeList woken);
    }

    /** Does something under the lock, with all arrived that has by now, and wakes whom it concerns. */
    void run(Action action) {
        WakeList woken = new WakeList();
        lock();
        try {
            action.run(settle(), woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    /** As {@link #run}, while the lock of the net is held. Who is woken is woken later. */
    void runWithin(Action action, WakeList woken) {
        lockWithin();
        try {
            action.run(settle(), woken);
        } finally {
            unlock();
        }
    }

    /** Has all arrive that has by now; returns the time. Under the lock. */
    long settle() {
        long now = net.now();
        client.in.settle(now);
        server.in.settle(now);
        return now;
    }

    /** Changes what both directions are like. Under the lock. */
    void conditions(Conditions there, Conditions back, long now, WakeList woken) {
        server.in.conditions(there, now);
        client.in.conditions(back, now);
        changed(woken);
    }

    /** Has nothing arrive any more at either end, or arrive again. Under the lock. */
    void vanished(boolean of, long now, WakeList woken) {
        server.in.vanished(of, now);
        client.in.vanished(of, now);
        changed(woken);
    }

    /** Has all look again: what arrives when may have changed in any way. Under the lock. */
    private void changed(WakeList woken) {
        client.acknowledge();
        server.acknowledge();
        client.provokeReset();
        server.provokeReset();
        client.wakeAll(woken);
        server.wakeAll(woken);
        wake(connecting, woken);
    }

    static void wake(WaitQueue queue, WakeList woken) {
        for (WaitNode node; (node = queue.poll()) != null; ) {
            if (node.grant()) {
                woken.add(node);
            } // else it has given up
        }
    }

    /** Waits for a grant, or until something arrives. Throws if the deadline has passed before that. */
    void await(Wait wait, long next, long deadline, String what) throws IOException {
        if (!Deadlines.await(wait, Math.min(next, deadline)) && deadline < next) {
            throw Deadlines.passed(what);
        }
    }

    @Override
    public String toString() {
        return "connection " + client + " (there " + server.in + ", back " + client.in + ")";
    }
}
