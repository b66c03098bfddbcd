package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.AsyncTest;
import dev.kumihimo.test.Explore;
import org.junit.jupiter.api.Test;

/** Two transfers at once: under a thousand schedules, and under all that take at most two preemptions. */
class TransferTest {
    @AsyncTest(schedules = 1_000)
    void moneyIsSpentOnce() throws Exception {
        Account a = new Account(1, 100);
        Account b = new Account(2, 0);
        var first = Task.spawn(() -> Transfer.transfer(a, b, 80));
        var second = Task.spawn(() -> Transfer.transfer(a, b, 80));
        assertTrue(first.join() ^ second.join(), "there is money for one of them");
        assertEquals(20, a.look());
        assertEquals(80, b.look());
    }

    @AsyncTest(schedules = 1_000)
    void oppositeTransfers_doNotWaitForEachOther() throws Exception {
        Account a = new Account(1, 100);
        Account b = new Account(2, 100);
        var there = Task.spawn(() -> Transfer.transfer(a, b, 10));
        var back = Task.spawn(() -> Transfer.transfer(b, a, 20));
        assertTrue(there.join() && back.join());
        assertEquals(110, a.look());
        assertEquals(90, b.look());
    }

    @Test
    void allSchedules_withTwoPreemptions() {
        Explore.Result explored = Explore.preemptions(2).run(this::moneyIsSpentOnce);
        assertTrue(explored.exhausted());
        explored = Explore.preemptions(2).run(this::oppositeTransfers_doNotWaitForEachOther);
        assertTrue(explored.exhausted());
    }
}
