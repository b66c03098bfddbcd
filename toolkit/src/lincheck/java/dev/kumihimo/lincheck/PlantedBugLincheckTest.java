package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.reject;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** The checks find bugs that were made on purpose, in a channel of capacity one without waits to send. */
class PlantedBugLincheckTest {
    /** The channel as it should be; each subclass breaks one thing. */
    @Param(name = "item", gen = IntGen.class, conf = "1:9")
    public abstract static class Planted {
        final Point point = new Point();
        final WaitQueue receivers = new WaitQueue();
        final ArrayDeque<Integer> buffer = new ArrayDeque<>();

        static final class Point extends WaitPoint {}

        boolean handOver(int item) {
            WaitNode receiver = receivers.poll();
            if (receiver == null) {
                return false;
            }
            receiver.item = item;
            if (!receiver.grant()) {
                return handOver(item);
            }
            receiver.owner().wake();
            return true;
        }

        @Operation
        public boolean trySend(@Param(name = "item") int item) {
            point.lock();
            try {
                return handOver(item) || buffer.isEmpty() && buffer.add(item);
            } finally {
                point.unlock();
            }
        }

        Wait register() {
            Wait wait = Wait.at(point);
            receivers.add(wait);
            return wait;
        }

        Integer takeOr(Wait[] registered) {
            point.lock();
            try {
                Integer item = buffer.poll();
                if (item == null) {
                    registered[0] = register();
                }
                return item;
            } finally {
                point.unlock();
            }
        }

        int receiveWithin(long nanos) throws InterruptedException, TimeoutException {
            Wait[] registered = new Wait[1];
            Integer item = takeOr(registered);
            if (item != null) {
                return item;
            }
            if (!registered[0].await(Waiter.current().nanoTime() + nanos)) {
                throw new TimeoutException();
            }
            return (Integer) registered[0].item;
        }

        int receiveEndlessly() throws InterruptedException {
            Wait[] registered = new Wait[1];
            Integer item = takeOr(registered);
            if (item != null) {
                return item;
            }
            registered[0].await();
            return (Integer) registered[0].item;
        }
    }

    /** Without a bug: what is found below is the bug, and not a flaw of the rest. */
    public static final class Sound extends Planted {
        @Operation
        public int receive() throws Exception {
            return receiveWithin(Checks.PATIENCE.toNanos());
        }
    }

    @Test
    void theRest_isSound() {
        Checks.accept(Checks.stress(ChannelModel.One.class), Sound.class);
    }

    /* ---------------- Check, then act -------------- */

    /** Looks for room before it takes the lock. */
    public static final class ChecksOutsideTheLock extends Planted {
        private volatile int size;

        @Override
        @Operation
        public boolean trySend(@Param(name = "item") int item) {
            if (size > 0) {
                return false;
            }
            Thread.yield(); // on a machine that does other things two threads seldom meet here by themselves
            point.lock();
            try {
                buffer.add(item);
                size = buffer.size();
                return true;
            } finally {
                point.unlock();
            }
        }

        @Operation
        public Object tryReceive() {
            point.lock();
            try {
                Integer item = buffer.poll();
                size = buffer.size();
                return item == null ? ChannelOperations.NOTHING : item;
            } finally {
                point.unlock();
            }
        }
    }

    @Test
    void stress_findsACheckOutsideTheLock() {
        reject(Checks.longStress(ChannelModel.One.class), ChecksOutsideTheLock.class)
                .hasMessageContaining("Invalid execution results");
    }

    @Test
    void modelChecking_findsACheckOutsideTheLock() {
        reject(Checks.modelChecking(ChannelModel.One.class), ChecksOutsideTheLock.class)
                .hasMessageContaining("Invalid execution results");
    }

    /* ---------------- Lost wakeup -------------- */

    /** Looks for an item, lets go of the lock, and registers without looking again. */
    public static final class RegistersTooLate extends Planted {
        @Override
        Integer takeOr(Wait[] registered) {
            point.lock();
            Integer item = buffer.poll();
            point.unlock();
            if (item == null) {
                point.lock();
                registered[0] = register();
                point.unlock();
            }
            return item;
        }

        @Operation
        public int receive() throws Exception {
            return receiveEndlessly();
        }
    }

    @Test
    void modelChecking_findsALostWakeup() {
        Class<?> subject = RegistersTooLate.class;
        reject(
                        Checks.modelChecking(
                                ChannelModel.One.class,
                                List.of(scenario(
                                        List.of(call(subject, "trySend", 1)), List.of(call(subject, "receive"))))),
                        subject)
                .hasMessageContaining("The execution has hung");
    }

    /* ---------------- A late grant -------------- */

    /** Takes no notice of a receiver that has given up before it was granted. */
    public static final class GrantsTheGone extends Planted {
        @Override
        boolean handOver(int item) {
            WaitNode receiver = receivers.poll();
            if (receiver == null) {
                return false;
            }
            receiver.item = item;
            if (receiver.grant()) {
                receiver.owner().wake();
            }
            return true;
        }

        /** Comes about when the receive gives up. */
        @Override
        @Operation
        public boolean trySend(@Param(name = "item") int item) {
            long due = System.nanoTime() + ThreadLocalRandom.current().nextInt(200_000);
            while (System.nanoTime() < due) {
                Thread.onSpinWait();
            }
            return super.trySend(item);
        }

        @Operation
        public int receive() throws Exception {
            return receiveWithin(Checks.PATIENCE.toNanos());
        }

        @Operation
        public Object tryReceive() {
            point.lock();
            try {
                Integer item = buffer.poll();
                return item == null ? ChannelOperations.NOTHING : item;
            } finally {
                point.unlock();
            }
        }
    }

    /** The window is the time between giving up and leaving the queue: some hundred nanoseconds. */
    @Test
    void stress_findsAGrantToWhoHasGivenUp() {
        Class<?> subject = GrantsTheGone.class;
        var scenario = scenario(
                List.of(call(subject, "receive"), call(subject, "tryReceive")),
                List.of(call(subject, "trySend", 1), call(subject, "tryReceive")));
        reject(
                        Checks.stress(ChannelModel.One.class)
                                .iterations(0)
                                .invocationsPerIteration(200_000)
                                .addCustomScenario(scenario),
                        subject)
                .hasMessageContaining("Invalid execution results");
    }
}
