package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.Explore;
import org.junit.jupiter.api.Test;

/** Two transfers at once, in every order that takes at most two preemptions. */
class TransferTest {
    @Test
    void moneyIsSpentOnce() {
        Explore.Result explored = Explore.preemptions(2).run(() -> {
            Account a = new Account(1, 100);
            Account b = new Account(2, 0);
            var first = Task.spawn(() -> Transfer.transfer(a, b, 80));
            var second = Task.spawn(() -> Transfer.transfer(a, b, 80));
            assertTrue(first.join() ^ second.join(), "there is money for one of them");
            assertEquals(20, a.look());
            assertEquals(80, b.look());
        });
        assertTrue(explored.exhausted());
    }

    @Test
    void oppositeTransfers_doNotWaitForEachOther() {
        Explore.Result explored = Explore.preemptions(2).run(() -> {
            Account a = new Account(1, 100);
            Account b = new Account(2, 100);
            var there = Task.spawn(() -> Transfer.transfer(a, b, 10));
            var back = Task.spawn(() -> Transfer.transfer(b, a, 20));
            assertTrue(there.join() && back.join());
            assertEquals(110, a.look());
            assertEquals(90, b.look());
        });
        assertTrue(explored.exhausted());
    }
}
