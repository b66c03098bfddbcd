package dev.kumihimo.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.examples.RedisStore.Condition;
import dev.kumihimo.examples.RedisStore.Key;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RedisStoreTest {
    private static final Duration SHORT = Duration.ofMillis(2);
    private static final Duration LONG = Duration.ofHours(1);

    private final RedisStore store = new RedisStore();

    private static Key key(String text) {
        return new Key(text.getBytes(ISO_8859_1));
    }

    private static byte[] value(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private String get(String key) {
        byte[] value = store.get(key(key));
        return value == null ? null : new String(value, ISO_8859_1);
    }

    private void setFor(Duration time, String key, String value) {
        store.set(key(key), value(value), Condition.ALWAYS, time, false);
    }

    @Test
    void expiredKey_isGone_withoutAnybodyWhoFreesIt() {
        setFor(SHORT, "a", "1");
        await().until(() -> get("a") == null);
        assertThat(store.timers()).isZero();
        assertThat(store.size()).isZero();
        setFor(SHORT, "b", "1");
        await().until(() -> store.timeToLive(key("b")).isNegative());
        setFor(SHORT, "c", "1");
        await().until(() -> store.set(key("c"), value("2"), Condition.IF_ABSENT, null, false)
                .done());
        assertThat(get("c")).isEqualTo("2");
    }

    @Test
    void expire_freesKeysThatNobodyAsksFor() throws Exception {
        TaskRuntime.run(() -> {
            RedisStore own = new RedisStore();
            JoinHandle<?> expirer = Task.spawn(own::expire);
            for (int i = 0; i < 1000; i++) {
                own.set(key("k" + i), value("v"), Condition.ALWAYS, Duration.ofMillis(1 + i % 20), false);
            }
            own.set(key("stays"), value("v"), Condition.ALWAYS, LONG, false);
            await().until(() -> own.size() == 1 && own.timers() == 1);
            expirer.abort();
        });
    }

    @Test
    void timer_goesWithItsValue() throws RedisError {
        setFor(LONG, "a", "1");
        assertThat(store.timers()).isOne();
        setFor(LONG, "a", "2");
        assertThat(store.timers()).isOne();
        store.set(key("a"), value("3"), Condition.ALWAYS, null, true);
        assertThat(store.add(key("a"), 4)).isEqualTo(7);
        assertThat(store.timers()).isOne();
        assertThat(store.timeToLive(key("a"))).isBetween(Duration.ofMinutes(50), LONG);
        store.set(key("a"), value("4"));
        assertThat(store.timers()).isZero();
        assertThat(store.timeToLive(key("a"))).isNull();
        assertThat(store.expireIn(key("a"), LONG)).isTrue();
        assertThat(store.timers()).isOne();
        assertThat(store.expireIn(key("a"), null)).isTrue();
        assertThat(store.expireIn(key("a"), null)).isFalse();
        assertThat(store.timers()).isZero();
        setFor(LONG, "a", "1");
        assertThat(store.delete(key("a"))).isTrue();
        assertThat(store.delete(key("a"))).isFalse();
        setFor(LONG, "b", "1");
        setFor(LONG, "c", "1");
        store.clear();
        assertThat(store.timers()).isZero();
        assertThat(store.size()).isZero();
        assertThat(store.expireIn(key("a"), LONG)).isFalse();
    }

    @Test
    void expireIn_pastTime_deletes() {
        setFor(LONG, "a", "1");
        assertThat(store.expireIn(key("a"), Duration.ZERO)).isTrue();
        assertThat(get("a")).isNull();
        assertThat(store.timers()).isZero();
    }

    @Test
    void add_isAtomic_andRefusesWhatIsNoNumber() throws Exception {
        TaskRuntime.run(() -> {
            List<JoinHandle<?>> tasks = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                tasks.add(Task.spawn(() -> {
                    for (int n = 0; n < 5000; n++) {
                        store.add(key("sum"), 2);
                    }
                }));
            }
            for (JoinHandle<?> task : tasks) {
                task.join();
            }
        });
        assertThat(get("sum")).isEqualTo("80000");
        store.set(key("x"), value("1x"));
        assertThatThrownBy(() -> store.add(key("x"), 1)).isInstanceOf(RedisError.class);
        store.set(key("x"), value("9223372036854775807"));
        assertThatThrownBy(() -> store.add(key("x"), 1)).hasMessage("ERR increment or decrement would overflow");
    }

    @Test
    void conditions_admitOneOfMany() throws Exception {
        TaskRuntime.run(() -> {
            for (int round = 0; round < 200; round++) {
                Key key = key("lock" + round);
                List<JoinHandle<Boolean>> tasks = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    tasks.add(Task.spawn(() -> store.set(key, value("me"), Condition.IF_ABSENT, LONG, false)
                            .done()));
                }
                int winners = 0;
                for (JoinHandle<Boolean> task : tasks) {
                    winners += task.join() ? 1 : 0;
                }
                assertThat(winners).isOne();
            }
        });
        assertThat(store.timers()).isEqualTo(200); // those who lost have taken theirs back
    }

    @Test
    void timersOfThoseWhoLose_areTakenBack() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(new Thread(() -> {
                for (int n = 0; n < 20_000; n++) {
                    setFor(LONG, "a", "1");
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(store.timers()).isOne();
    }

    /** A timer may come before its value is there: then who puts that there frees it. */
    @Test
    void valuesThatExpireAtOnce_areFreed() throws Exception {
        TaskRuntime.run(() -> {
            RedisStore own = new RedisStore();
            JoinHandle<?> expirer = Task.spawn(own::expire);
            List<JoinHandle<?>> tasks = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                tasks.add(Task.spawn(() -> {
                    for (int n = 0; n < 10_000; n++) {
                        Key key = key(n + "");
                        own.set(key, value("1"), Condition.ALWAYS, Duration.ofNanos(1), false);
                    }
                }));
            }
            for (JoinHandle<?> task : tasks) {
                task.join();
            }
            await().until(() -> own.size() == 0 && own.timers() == 0);
            expirer.abort();
        });
    }

    /** Whatever tasks do to the same keys: in the end each timer is that of a key, and all go. */
    @Test
    void timers_areNeverLeftBehind() throws Exception {
        TaskRuntime.run(() -> {
            RedisStore own = new RedisStore();
            JoinHandle<?> expirer = Task.spawn(own::expire);
            List<JoinHandle<?>> tasks = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                tasks.add(Task.spawn(() -> {
                    ThreadLocalRandom random = ThreadLocalRandom.current();
                    for (int n = 0; n < 3000; n++) {
                        Key key = key("k" + random.nextInt(3));
                        Duration time = Duration.ofNanos(random.nextInt(2_000_000));
                        switch (random.nextInt(6)) {
                            case 0 -> own.set(key, value("1"));
                            case 1 -> own.set(key, value("1"), Condition.ALWAYS, time, false);
                            case 2 -> own.set(key, value("1"), Condition.IF_PRESENT, null, true);
                            case 3 -> own.expireIn(key, time);
                            case 4 -> own.add(key, 1);
                            default -> own.delete(key);
                        }
                    }
                }));
            }
            for (JoinHandle<?> task : tasks) {
                task.join();
            }
            for (int k = 0; k < 3; k++) {
                own.expireIn(key("k" + k), Duration.ofMillis(1));
            }
            await().until(() -> own.size() == 0 && own.timers() == 0);
            expirer.abort();
        });
    }

    @Test
    void keys_areTheirBytes() {
        store.set(key("\0\377"), value("1"));
        assertThat(get("\0\377")).isEqualTo("1");
        assertThat(get("\0")).isNull();
        assertThat(get("")).isNull();
        assertThat(key("Aa").hashCode()).isEqualTo(key("BB").hashCode());
        store.set(key("Aa"), value("2"));
        store.set(key("BB"), value("3"));
        assertThat(get("Aa")).isEqualTo("2");
        assertThat(key("Aa")).isLessThan(key("BB"));
    }
}
