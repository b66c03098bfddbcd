package dev.kumihimo.test.matrix;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.RwLock;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.test.TestRuntime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Semaphores and locks. */
final class LockRows {
    private LockRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Semaphore.acquire(1)", s -> new Acquiring(s.before(), 1)),
                new Row("Semaphore.acquire(3)", s -> new Acquiring(s.before(), 3)),
                new Row("Mutex.lock", s -> new Locking()),
                new Row("RwLock.write, read-locked", s -> new ReadWriting(s.before(), true)),
                new Row("RwLock.read, write-locked", s -> new ReadWriting(s.before(), false)));
    }

    /** Permits that are kept; the victim may want several, the others want one. */
    private static final class Acquiring extends Subject {
        private final Semaphore semaphore = Semaphore.of(0);
        private final List<Semaphore.Permit> held = new ArrayList<>();
        private final int victim;
        private final int permits;
        private int released;

        Acquiring(int victim, int permits) {
            this.victim = victim;
            this.permits = permits;
        }

        private int wanted(int who) {
            return who == victim ? permits : 1;
        }

        @Override
        Object op(int who) throws Exception {
            return noted(who, semaphore.acquire(wanted(who)));
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(who, semaphore.acquire(wanted(who), timeout));
        }

        private Object noted(int who, Semaphore.Permit permit) {
            ensureEqual(permit.count(), wanted(who), "permits");
            held.add(permit);
            return permit.count();
        }

        @Override
        void tryGrant() {
            semaphore.release(1);
            released++;
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            semaphore.close();
        }

        @Override
        int rounds(int before) {
            return before + permits;
        }

        @Override
        boolean couldGo(int first) {
            return semaphore.availablePermits() >= wanted(first);
        }

        @Override
        void check(List<Outcome> outcomes) {
            int out = held.stream().mapToInt(Semaphore.Permit::count).sum();
            ensureEqual(semaphore.availablePermits() + out, released, "permits free and held");
        }

        @Override
        void use() throws Exception {
            held.forEach(Semaphore.Permit::close);
            held.clear();
            ensureEqual(semaphore.availablePermits(), released, "permits");
            if (released == 0) {
                tryGrant();
            }
            op(SPARE, Duration.ZERO);
        }
    }

    /** A task holds a lock until it is told to give it back. */
    abstract static class Locked extends Subject {
        private final SetOnce<String> gate = new SetOnce<>();
        private JoinHandle<?> holder;
        boolean firstHeld = true;

        /** Takes the lock, which is free. */
        abstract AutoCloseable first();

        @Override
        void prepare(TestRuntime test) {
            holder = test.runtime().spawnNamed("holder", () -> {
                AutoCloseable guard = first();
                try {
                    gate.await();
                } finally {
                    firstHeld = false;
                    guard.close();
                }
                return null;
            });
        }

        @Override
        JoinHandle<?> standingPeer() {
            return holder;
        }

        @Override
        void tryGrant() {
            gate.trySet("go on");
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        void use() throws Exception {
            op(SPARE, Duration.ZERO);
        }
    }

    /** Whoever gets the lock gives it back at once. */
    private static final class Locking extends Locked {
        private final Mutex<String> mutex = Mutex.of("data");
        private int inside;

        @Override
        Object op(int who) throws Exception {
            return visit(mutex.lock());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return visit(mutex.lock(timeout));
        }

        private Object visit(Mutex.Guard<String> guard) {
            try (guard) {
                ensureEqual(++inside, 1, "holders");
                ensure(mutex.isLocked(), "held and not locked"); // has points, at which others may run
                inside--;
                return guard.get();
            }
        }

        @Override
        AutoCloseable first() {
            return mutex.tryLock();
        }

        @Override
        boolean couldGo(int who) {
            return !mutex.isLocked();
        }

        @Override
        void check(List<Outcome> outcomes) {
            Mutex.Guard<String> one = mutex.tryLock();
            ensure(one != null, "the lock is held by nobody and not free");
            ensure(mutex.tryLock() == null, "the lock can be had twice");
            one.close();
        }
    }

    /** The subject holds a lock; the victim wants the other kind, and so on alternately. */
    private static final class ReadWriting extends Locked {
        private final RwLock<String> lock = RwLock.of("data");
        private final int victim;
        private final boolean victimWrites;
        private int readers;
        private int writers;

        ReadWriting(int victim, boolean victimWrites) {
            this.victim = victim;
            this.victimWrites = victimWrites;
        }

        @Override
        AutoCloseable first() {
            return victimWrites ? lock.tryRead() : lock.tryWrite();
        }

        /** Those before the victim want the same as it; those behind the opposite. */
        private boolean writes(int who) {
            return (who <= victim) == victimWrites;
        }

        @Override
        Object op(int who) throws Exception {
            return writes(who) ? write(lock.write()) : read(lock.read());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return writes(who) ? write(lock.write(timeout)) : read(lock.read(timeout));
        }

        private Object write(RwLock.WriteGuard<String> guard) {
            try (guard) {
                writers++;
                look();
                writers--;
                return guard.get();
            }
        }

        private Object read(RwLock.ReadGuard<String> guard) {
            try (guard) {
                readers++;
                look();
                readers--;
                return guard.get();
            }
        }

        private void look() {
            ensureAlone();
            ensure(lock.tryWrite() == null, "held, and free to be written"); // has points, at which others may run
            ensureAlone();
        }

        private void ensureAlone() {
            ensure(writers == 0 || writers == 1 && readers == 0, readers + " readers and " + writers + " writers");
        }

        @Override
        boolean couldGo(int who) {
            return !firstHeld || victimWrites && !writes(who);
        }

        @Override
        void check(List<Outcome> outcomes) {
            RwLock.WriteGuard<String> one = lock.tryWrite();
            ensure(one != null, "the lock is held by nobody and not free");
            ensure(lock.tryRead() == null && lock.tryWrite() == null, "the lock can be had twice");
            one.close();
        }
    }
}
