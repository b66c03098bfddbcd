package com.example;

import dev.kumihimo.sync.Mutex;

/** An account, whose balance is behind a lock: each operation alone is safe. */
public record Account(int number, Mutex<Long> balance) {
    public Account(int number, long balance) {
        this(number, Mutex.of(balance));
    }

    public long look() throws InterruptedException {
        try (var guard = balance.lock()) {
            return guard.get();
        }
    }

    public void add(long amount) throws InterruptedException {
        try (var guard = balance.lock()) {
            guard.set(guard.get() + amount);
        }
    }
}
