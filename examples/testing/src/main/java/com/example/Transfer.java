package com.example;

/** Moves money from one account to another, if there is enough. */
public final class Transfer {
    private Transfer() {}

    /** Both locks, and always in the same order: two that go in opposite directions would wait for each other. */
    public static boolean transfer(Account from, Account to, long amount) throws InterruptedException {
        boolean forward = from.number() < to.number();
        try (var first = (forward ? from : to).balance().lock();
                var second = (forward ? to : from).balance().lock()) {
            var source = forward ? first : second;
            var target = forward ? second : first;
            if (source.get() < amount) {
                return false;
            }
            source.set(source.get() - amount);
            target.set(target.get() + amount);
            return true;
        }
    }
}
