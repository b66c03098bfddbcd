package dev.kumihimo.test.guide;

import dev.kumihimo.sync.Mutex;

/** An account, whose balance is behind a lock: each operation alone is safe. */
record Account(int number, Mutex<Long> balance) {
    Account(int number, long balance) {
        this(number, Mutex.of(balance));
    }

    long look() throws InterruptedException {
        try (var guard = balance.lock()) {
            return guard.get();
        }
    }

    void add(long amount) throws InterruptedException {
        try (var guard = balance.lock()) {
            guard.set(guard.get() + amount);
        }
    }
}
