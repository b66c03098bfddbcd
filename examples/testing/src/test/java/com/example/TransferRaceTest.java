package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.AsyncTest;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * How a race is told. It fails, so it runs only if asked to: {@code mvn test -Drace=true}. The failure shows the smallest run that
 * fails alike, in columns, and tells its trace; {@code mvn test -Drace=true -Dtest=TransferRaceTest -Dkumihimo.test.replay=k3:...}
 * runs that one alone, as often as it takes to understand it.
 */
@EnabledIfSystemProperty(named = "race", matches = "true")
class TransferRaceTest {
    /** Wrong: what was true when it looked need not be when it takes. */
    private static boolean lookThenTake(Account from, Account to, long amount) throws InterruptedException {
        if (from.look() < amount) {
            return false;
        }
        from.add(-amount);
        to.add(amount);
        return true;
    }

    @AsyncTest(schedules = 1_000)
    void moneyIsSpentTwice() throws Exception {
        Account a = new Account(1, 100);
        Account b = new Account(2, 0);
        var first = Task.spawn(() -> lookThenTake(a, b, 80));
        var second = Task.spawn(() -> lookThenTake(a, b, 80));
        assertTrue(first.join() ^ second.join(), "there is money for one of them");
        assertEquals(20, a.look());
    }
}
