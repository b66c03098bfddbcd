package dev.kumihimo.test.primitives;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.OnCarrier;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each primitive in all schedules of up to two preemptions, and in random ones. */
class PrimitivesTest {
    /** How many schedules of one preemption more are tried; none unless the profile asks for it. */
    private static final int MORE = Integer.getInteger("kumihimo.test.primitives.more", 0);

    private static final int RANDOM = Integer.getInteger("kumihimo.test.primitives.random", 200);
    private static final int BOUND = 2;
    private static final long SECONDS = 3_600; // a guard against hanging

    /** What is explored. */
    record Scenario(String name, VoidBody<?> body) {
        @Override
        public String toString() {
            return name;
        }
    }

    interface OnChannel {
        void run(Channel<Object> channel) throws Exception;
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void channels(List<Scenario> all, String name, Supplier<Channel<Object>> channel) {
        List<OnChannel> bodies = List.of(
                Items::closed,
                Items::receiverGivesUp,
                Items::senderGivesUp,
                Items::inOrder,
                Items::twoSenders,
                Items::oneOfTwoSendersGivesUp,
                Items::oneOfTwoReceiversGivesUp);
        List<String> names = List.of(
                "closed",
                "receiver gives up",
                "sender gives up",
                "in order",
                "two senders",
                "one of two senders gives up",
                "one of two receivers gives up");
        for (int i = 0; i < bodies.size(); i++) {
            OnChannel body = bodies.get(i);
            all.add(new Scenario(name + " channel, " + names.get(i), () -> body.run(channel.get())));
        }
    }

    static List<Scenario> all() {
        List<Scenario> all = new ArrayList<>();
        // spotless:off: one line each
        channels(all, "rendezvous", Channel::rendezvous);
        channels(all, "bounded", () -> Channel.bounded(1));
        channels(all, "unbounded", Channel::unbounded);
        all.add(new Scenario("channel, reserved", Items::reserved));
        all.add(new Scenario("oneshot, receiver gives up", Items::oneshotReceiverGivesUp));
        all.add(new Scenario("oneshot, closed", Items::oneshotClosed));
        all.add(new Scenario("watch", Items::watched));
        all.add(new Scenario("watch, receiver gives up", Items::watchedByOneThatGivesUp));
        all.add(new Scenario("broadcast", Items::broadcast));
        all.add(new Scenario("broadcast, receiver gives up", Items::broadcastToOneThatGivesUp));
        all.add(new Scenario("broadcast that holds the sender up", Items::broadcastThatHoldsTheSenderUp));
        all.add(new Scenario("select of two", Items::selectOfTwo));
        all.add(new Scenario("select that gives up", Items::selectThatGivesUp));
        all.add(new Scenario("select meets select", Items::selectMeetsSelect));
        all.add(new Scenario("timeout against an item", Items::timeoutAgainstAnItem));
        all.add(new Scenario("delay queue", Items::delayed));
        all.add(new Scenario("delay queue, taker gives up", Items::delayedForOneThatGivesUp));
        all.add(new Scenario("delay queue, one of two takers gives up", Items::delayedForTwo));
        all.add(new Scenario("token, region", Items::cancelledRegion));
        all.add(new Scenario("token, children and callbacks", Turns::token));
        all.add(new Scenario("semaphore", Turns::permits));
        all.add(new Scenario("semaphore, many permits", Turns::manyPermits));
        all.add(new Scenario("semaphore, closed", Turns::semaphoreClosed));
        all.add(new Scenario("mutex", Turns::mutex));
        all.add(new Scenario("readers-writer lock", Turns::readersAndAWriter));
        all.add(new Scenario("readers-writer lock, writer gives up", Turns::writerGivesUp));
        all.add(new Scenario("notify, one", Turns::notifyOne));
        all.add(new Scenario("notify, waiters", Turns::notifyWaiters));
        all.add(new Scenario("barrier", Turns::barrier));
        all.add(new Scenario("once cell", Turns::onceCell));
        all.add(new Scenario("set once", Turns::setOnce));
        all.add(new Scenario("join set", Turns::joinSet));
        all.add(new Scenario("join set, owner aborted", Turns::joinSetWhoseOwnerIsAborted));
        all.add(new Scenario("task tracker", Turns::tracker));
        all.add(new Scenario("join", Turns::join));
        // spotless:on
        return all;
    }

    private static Explore.Result explore(Scenario scenario, int bound, int most) throws Exception {
        return OnCarrier.call(() -> Explore.preemptions(bound).atMost(most).run(scenario.body()), SECONDS);
    }

    @ParameterizedTest
    @MethodSource("all")
    void primitive_holds_inAllSchedulesOfTwoPreemptions(Scenario scenario) throws Exception {
        Explore.Result result = explore(scenario, BOUND, Integer.MAX_VALUE);
        assertThat(result.exhausted()).isTrue();
        assertThat(result.distinct()).isEqualTo(result.schedules());
        if (MORE > 0) {
            assertThat(explore(scenario, BOUND + 1, MORE).schedules()).isGreaterThan(result.schedules());
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void primitive_holds_inRandomSchedules(Scenario scenario) throws Exception {
        assertThat(OnCarrier.call(() -> Explore.seeds(RANDOM).run(scenario.body()), SECONDS)
                        .distinct())
                .isGreaterThan(1);
    }

    /** Prints how many schedules there are, and how fast they are run: in a JVM with the flag, and with points. */
    public static void main(String[] args) throws Exception {
        long schedules = 0;
        long nanos = 0;
        for (Scenario scenario : all()) {
            StringBuilder row = new StringBuilder("| " + scenario.name());
            for (int bound = 1; bound <= (MORE > 0 ? BOUND + 1 : BOUND); bound++) {
                long before = System.nanoTime();
                Explore.Result result = explore(scenario, bound, bound > BOUND ? MORE : Integer.MAX_VALUE);
                long took = System.nanoTime() - before;
                schedules += result.schedules();
                nanos += took;
                row.append(String.format(
                        " | %,d%s in %.1f s", result.schedules(), result.exhausted() ? "" : " (not all)", took / 1e9));
            }
            System.out.println(row + " |");
        }
        System.out.printf("%,d schedules, %,d per s%n", schedules, (long) (schedules / (nanos / 1e9)));
    }
}
