package dev.kumihimo.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Branches that wait for a signal and then have to be tried: what comes of it is scripted. */
@Timeout(60)
class AttemptTest {
    /** A signal that is as the test says, and is granted as soon as somebody waits if it says so. */
    private static final class Signal extends Clause<@Nullable Void> {
        private final Room room;
        boolean ready;
        int grants; // to give to those who wait
        int enqueued;

        Signal(Room room) {
            super(room);
            this.room = room;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            return ready ? "signal" : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            enqueued++;
            if (grants > 0) {
                grants--;
                node.grant();
            } else {
                room.waiting.add(node);
            }
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            throw new AssertionError("a signal has no result");
        }
    }

    private static final class Room extends WaitPoint {
        final List<WaitNode> waiting = new CopyOnWriteArrayList<>();

        @Override
        public void withdraw(WaitNode node, WakeList woken) {
            waiting.remove(node);
        }
    }

    private final Room room = new Room();
    private final Signal signal = new Signal(room);
    private final List<Boolean> asked = new ArrayList<>();

    /** What the attempts that heed a signal give, one after the other; then nothing. */
    private final Deque<String> script = new ArrayDeque<>();

    private @Nullable String early;

    private final Attempt<String> attempt = new Attempt<>(signal) {
        @Override
        protected Object attempt(boolean signalled) {
            asked.add(signalled);
            String got = signalled ? script.poll() : early;
            return got == null || got.equals("nothing") ? NOT_READY : got;
        }

        @Override
        protected String result(@Nullable Object outcome) {
            return "got " + outcome;
        }
    };

    private Select<String> select() {
        return Select.<String>of().on(attempt, value -> value);
    }

    @Test
    void whatIsThereRegardlessOfTheSignal_isTaken() throws Exception {
        early = "a";
        assertThat(select().await()).isEqualTo("got a");
        assertThat(asked).containsExactly(false);
    }

    @Test
    void aSignal_leadsToAnAttempt() throws Exception {
        signal.ready = true;
        script.add("a");
        assertThat(select().await()).isEqualTo("got a");
        assertThat(asked).containsExactly(false, true);
    }

    @Test
    void anAttemptThatComesToNothing_isMadeAgain_withTheNextSignal() throws Exception {
        signal.grants = 3;
        script.addAll(List.of("nothing", "nothing", "a"));
        assertThat(select().await()).isEqualTo("got a");
        assertThat(asked.stream().filter(signalled -> signalled)).hasSize(3);
        assertThat(signal.enqueued).isEqualTo(3);
        assertThat(room.waiting).isEmpty();
    }

    @Test
    void timeRunsOn_whileAttemptsComeToNothing() throws Exception {
        signal.ready = true; // for ever, and for nothing
        String won = select().after(Duration.ofMillis(20), () -> "timeout").await();
        assertThat(won).isEqualTo("timeout");
        assertThat(asked).contains(true);
    }

    @Test
    void otherwise_isTaken_ifTheAttemptComesToNothing() throws Exception {
        signal.ready = true;
        assertThat(select().otherwise(() -> "otherwise").await()).isEqualTo("otherwise");
        Channel<String> empty = Channel.bounded(1);
        assertThat(select().on(empty, item -> item).otherwise(() -> "otherwise").await())
                .isEqualTo("otherwise");
        assertThat(signal.enqueued).isZero();
    }

    /** A signal that stays, in the first branch of a biased select, keeps no other from being chosen. */
    @Test
    void anotherBranch_isChosen_whileAttemptsComeToNothing() throws Exception {
        signal.ready = true;
        Channel<String> items = Channel.bounded(1);
        Attempt<String> futile = new Attempt<>(signal) {
            private int tries;

            @Override
            protected Object attempt(boolean signalled) {
                if (signalled && ++tries == 3) { // the select is past its first look at the branches by then
                    items.trySend("item");
                }
                return NOT_READY;
            }

            @Override
            protected String result(@Nullable Object outcome) {
                return "never";
            }
        };
        assertThat(Select.<String>of()
                        .on(futile, value -> value)
                        .on(items, item -> item)
                        .biased()
                        .await())
                .isEqualTo("item");
    }

    @Test
    void aBranchThatWins_takesTheAttemptOutOfItsQueue() throws Exception {
        Channel<String> items = Channel.bounded(1);
        Thread sender = Thread.ofVirtual().start(() -> {
            while (room.waiting.isEmpty()) {
                Thread.onSpinWait();
            }
            items.trySend("item");
        });
        assertThat(select().on(items, item -> item).await()).isEqualTo("item");
        sender.join();
        assertThat(room.waiting).isEmpty();
        assertThat(asked).doesNotContain(true);
    }

    @Test
    void anAttemptThatThrows_throwsOutOfTheSelect_andLeavesNothing() {
        signal.grants = 1;
        Channel<String> items = Channel.bounded(1);
        Attempt<String> broken = new Attempt<>(signal) {
            @Override
            protected Object attempt(boolean signalled) {
                if (signalled) {
                    throw new IllegalStateException("broken");
                }
                return NOT_READY;
            }

            @Override
            protected String result(@Nullable Object outcome) {
                return "never";
            }
        };
        assertThatThrownBy(() -> Select.<String>of()
                        .on(broken, value -> value)
                        .on(items, item -> item)
                        .await())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("broken");
        assertThat(room.waiting).isEmpty();
        assertThat(items.trySend("kept")).isTrue();
        assertThat(items.tryReceive()).as("nobody waits for it").isEqualTo("kept");
    }

    /** An attempt whose signal is an attempt: text in an envelope in a socket, say. */
    @Test
    void anAttempt_maySignalAnother() throws Exception {
        Attempt<String> outer = new Attempt<>(attempt) {
            @Override
            protected Object attempt(boolean signalled) {
                return signalled ? "outer" : NOT_READY;
            }

            @Override
            protected String result(@Nullable Object outcome) {
                return outcome + " result";
            }
        };
        early = "inner";
        assertThat(Select.<String>of().on(outer, value -> value).await()).isEqualTo("outer result");
        assertThat(signal.enqueued).isZero();
        early = null;
        signal.grants = 1;
        assertThat(Select.<String>of().on(outer, value -> value).await()).isEqualTo("outer result");
        assertThat(signal.enqueued).isEqualTo(1);
    }

    /* ---------------- Rings -------------- */

    /** An attempt that others ring for. */
    private static final class Bell extends Attempt<String> {
        volatile @Nullable String left;

        @Nullable
        Runnable whenTried = () -> {};

        Bell(Selectable<?> signal) {
            super(signal);
        }

        void leave(String item) {
            left = item;
            ring();
        }

        @Override
        protected Object attempt(boolean signalled) {
            String got = left;
            left = null;
            Runnable then = whenTried;
            whenTried = null;
            if (then != null) {
                then.run();
            }
            return got == null ? NOT_READY : got;
        }

        @Override
        protected String result(@Nullable Object outcome) {
            return "rung for " + outcome;
        }
    }

    @Test
    void aRing_wakesWhoWaits() throws Exception {
        Bell bell = new Bell(signal);
        Thread ringer = Thread.ofVirtual().start(() -> {
            while (room.waiting.isEmpty()) {
                Thread.onSpinWait();
            }
            bell.leave("a");
        });
        assertThat(Select.<String>of().on(bell, value -> value).await()).isEqualTo("rung for a");
        ringer.join();
        assertThat(room.waiting).isEmpty();
    }

    /** Between the attempt and the wait. */
    @Test
    void aRing_justAfterTheAttempt_isNotMissed() throws Exception {
        Bell bell = new Bell(signal);
        bell.whenTried = () -> bell.leave("a");
        assertThat(Select.<String>of().on(bell, value -> value).await()).isEqualTo("rung for a");
        assertThat(signal.enqueued).isZero();
    }

    @Test
    void aRing_forNothing_leavesNothingBehind() throws Exception {
        Bell bell = new Bell(signal);
        bell.ring();
        Channel<String> items = Channel.bounded(1);
        for (int i = 0; i < 100; i++) {
            Thread sender = Thread.ofVirtual().start(() -> {
                while (room.waiting.isEmpty()) {
                    Thread.onSpinWait();
                }
                items.trySend("item");
            });
            assertThat(Select.<String>of()
                            .on(bell, value -> value)
                            .on(items, item -> item)
                            .await())
                    .isEqualTo("item");
            sender.join();
            assertThat(bell.waiting()).isZero();
        }
        assertThat(Select.<String>of()
                        .on(bell, value -> value)
                        .after(Duration.ofMillis(1), () -> "timeout")
                        .await())
                .isEqualTo("timeout");
        assertThat(bell.waiting()).isZero();
    }

    @Test
    void aRing_ofTheSignal_wakesTheOuterAttempt() throws Exception {
        Bell bell = new Bell(signal);
        Attempt<String> outer = new Attempt<>(bell) {
            @Override
            protected Object attempt(boolean signalled) {
                return signalled && bell.left != null ? "outer" : NOT_READY;
            }

            @Override
            protected String result(@Nullable Object outcome) {
                return outcome + " result";
            }
        };
        Thread ringer = Thread.ofVirtual().start(() -> {
            while (room.waiting.isEmpty()) {
                Thread.onSpinWait();
            }
            bell.leave("a");
        });
        assertThat(Select.<String>of().on(outer, value -> value).await()).isEqualTo("outer result");
        ringer.join();
        assertThat(bell.waiting() + outer.waiting()).isZero();
    }

    /* ---------------- Another signal -------------- */

    /** An attempt that waits for one signal at first, and for the other after it has been made. */
    private static final class Moving extends Attempt<String> {
        private final Selectable<?> second;
        private final AtomicReference<@Nullable String> left;
        private boolean moved;

        Moving(Selectable<?> first, Selectable<?> second) {
            super(first);
            this.second = second;
            this.left = new AtomicReference<>();
        }

        private Moving(Moving other) {
            super(other.second, other);
            this.second = other.second;
            this.left = other.left;
        }

        void leave(String item) {
            left.set(item);
            ring();
        }

        @Override
        protected Attempt<String> renewed() {
            return moved ? new Moving(this) : this;
        }

        @Override
        protected Object attempt(boolean signalled) {
            moved |= signalled;
            String got = left.getAndSet(null);
            return got == null ? NOT_READY : got;
        }

        @Override
        protected String result(@Nullable Object outcome) {
            return "got " + outcome;
        }
    }

    @Test
    void anAttemptThatComesToNothing_mayWaitForAnotherSignal_whereARingReachesIt() throws Exception {
        signal.ready = true;
        Room elsewhere = new Room();
        Moving moving = new Moving(signal, new Signal(elsewhere));
        Thread ringer = Thread.ofVirtual().start(() -> {
            while (elsewhere.waiting.isEmpty()) {
                Thread.onSpinWait();
            }
            moving.leave("a");
        });
        assertThat(Select.<String>of().on(moving, value -> value).await()).isEqualTo("got a");
        ringer.join();
        assertThat(room.waiting).isEmpty();
        assertThat(elsewhere.waiting).isEmpty();
        assertThat(signal.enqueued).isZero();
    }

    /** Becomes ready by itself. */
    private static final class Time extends Clause<@Nullable Void> {
        private final long time = Waiter.current().nanoTime() + 2_000_000;

        Time() {
            super(null);
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return time <= Waiter.current().nanoTime() ? null : NOT_READY;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }

        @Override
        protected long deadline() {
            return time;
        }
    }

    @Test
    void theSignal_mayBeATime_afterWhichAnotherOneIsWaitedFor() throws Exception {
        Moving moving = new Moving(new Time(), signal);
        Thread ringer = Thread.ofVirtual().start(() -> {
            while (room.waiting.isEmpty()) {
                Thread.onSpinWait();
            }
            moving.leave("a");
        });
        assertThat(Select.<String>of()
                        .on(moving, value -> value)
                        .after(Duration.ofSeconds(30), () -> "never")
                        .await())
                .isEqualTo("got a");
        ringer.join();
    }
}
