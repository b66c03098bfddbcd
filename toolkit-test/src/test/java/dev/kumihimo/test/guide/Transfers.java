package dev.kumihimo.test.guide;

/** Three ways to move money from one account to another. */
final class Transfers {
    private Transfers() {}

    /** Wrong: what was true when it looked need not be when it takes. */
    static boolean lookThenTake(Account from, Account to, long amount) throws InterruptedException {
        if (from.look() < amount) {
            return false;
        }
        from.add(-amount);
        to.add(amount);
        return true;
    }

    /** Wrong: two that go in opposite directions may hold one lock each, and wait for the other. */
    static boolean lockBoth(Account from, Account to, long amount) throws InterruptedException {
        try (var source = from.balance().lock();
                var target = to.balance().lock()) {
            if (source.get() < amount) {
                return false;
            }
            source.set(source.get() - amount);
            target.set(target.get() + amount);
            return true;
        }
    }

    /** Right: all lock in the same order. */
    static boolean lockInOrder(Account from, Account to, long amount) throws InterruptedException {
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
