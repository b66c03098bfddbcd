package dev.kumihimo.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WakeList;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Branches whose readiness changes without their lock, as that of sockets does: each race produced on purpose. */
@Timeout(60)
class LockFreeClauseTest {
    /** A branch that does what the test says. */
    private static final class Scripted extends Clause<String> {
        private final Room room;
        private final Predicate<WaitNode> enqueue;

        Scripted(Room room, Predicate<WaitNode> enqueue) {
            super(room);
            this.room = room;
            this.enqueue = enqueue;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            return room.ready ? "tried" : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            boolean accepted = enqueue.test(node);
            if (accepted) {
                room.waiting.add(node);
            }
            return accepted;
        }

        @Override
        protected String result(Object outcome) {
            return room.name + " " + outcome;
        }
    }

    /** Where it waits; who is granted has left before, as with a driver that swaps its slot. */
    private static final class Room extends WaitPoint {
        final String name;
        final List<WaitNode> waiting = new ArrayList<>();
        boolean ready;

        Room(String name) {
            this.name = name;
        }

        void grant(WaitNode node) {
            waiting.remove(node);
            node.item = "granted";
            node.grant();
        }

        @Override
        public void withdraw(WaitNode node, WakeList woken) {
            waiting.remove(node);
        }
    }

    private final Room left = new Room("left");
    private final Room right = new Room("right");

    private String select(Predicate<WaitNode> leftEnqueue, Predicate<WaitNode> rightEnqueue)
            throws InterruptedException {
        return Select.<String>of()
                .on(new Scripted(left, leftEnqueue), value -> value)
                .on(new Scripted(right, rightEnqueue), value -> value)
                .await();
    }

    @Test
    void aRefusal_sendsTheSelectBackToTrying() throws Exception {
        String won = select(node -> true, node -> {
            right.ready = true;
            return false;
        });
        assertThat(won).isEqualTo("right tried");
        assertThat(left.waiting).isEmpty();
    }

    @Test
    void aGrant_beforeTheOthersAreEnqueued_isTaken_andLeavesNothing() throws Exception {
        String won = select(node -> true, node -> {
            left.grant(left.waiting.get(0));
            return true;
        });
        assertThat(won).isEqualTo("left granted");
        assertThat(right.waiting).isEmpty();
    }

    /** The event that granted the first branch, and the one that made the second refuse, were both consumed by others. */
    @Test
    void aGrant_beforeARefusal_isVoid_andLeavesNothing() throws Exception {
        List<WaitNode> seen = new ArrayList<>();
        String won = select(seen::add, node -> {
            if (seen.size() == 1) {
                left.grant(seen.get(0));
                return false;
            }
            right.grant(node); // at once, before the select sees it enqueued
            return true;
        });
        assertThat(won).isEqualTo("right granted");
        assertThat(left.waiting).isEmpty();
    }

    @Test
    void aFailureToEnqueue_withdrawsTheOthers() {
        assertThatThrownBy(() -> select(node -> true, node -> {
                    throw new OutOfMemoryError("planned");
                }))
                .isInstanceOf(OutOfMemoryError.class);
        assertThat(left.waiting).isEmpty();
        left.lock(); // it was unlocked
        left.unlock();
    }
}
