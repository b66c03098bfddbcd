package dev.kumihimo.benchmarks.workload;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;

/**
 * How long something that is ready waits for a carrier: while other tasks keep all of them busy, or while the task that
 * made it ready goes on computing. All figures are milliseconds.
 */
final class Delays {
    private static final int PAIRS = 50;
    private static final int YIELDING = 100;
    private static final int EXCHANGING = 4;
    private static final int CAPACITY = 128;
    private static final int COMPUTE_MILLIS = 200;

    /** A delay that reaches this ends the load, so that a scheduler under which something never runs gets a figure. */
    private static final int NEVER_MILLIS = 2_000;

    private static final Object LAST = new Object();

    /** What keeps the carriers busy until it is told to stop. */
    private enum Load {
        YIELDING_TASKS {
            @Override
            <C> void start(Host host, Channels<C> channels, Tasks tasks, AtomicBoolean stop) {
                tasks.start(YIELDING, () -> {
                    while (!stop.get()) {
                        host.yieldNow();
                    }
                });
            }
        },

        PING_PONG {
            @Override
            <C> void start(Host host, Channels<C> channels, Tasks tasks, AtomicBoolean stop) {
                for (int i = 0; i < PAIRS; i++) {
                    var pings = channels.open(1);
                    var pongs = channels.open(1);
                    tasks.start(() -> {
                        while (!stop.get()) {
                            channels.send(pings, Workloads.ITEM);
                            Workloads.check(channels.receive(pongs));
                        }
                        channels.send(pings, LAST);
                    });
                    tasks.start(() -> {
                        for (Object item; (item = channels.receive(pings)) != LAST; ) {
                            channels.send(pongs, item);
                        }
                    });
                }
            }
        },

        /** Tasks that take an item out of a full channel and put it back, and so never have to wait. */
        FULL_CHANNEL {
            @Override
            <C> void start(Host host, Channels<C> channels, Tasks tasks, AtomicBoolean stop)
                    throws InterruptedException {
                var channel = channels.open(CAPACITY);
                for (int i = 0; i < CAPACITY; i++) {
                    channels.send(channel, Workloads.ITEM);
                }
                tasks.start(EXCHANGING, () -> {
                    while (!stop.get()) {
                        channels.send(channel, channels.receive(channel));
                    }
                });
            }
        };

        abstract <C> void start(Host host, Channels<C> channels, Tasks tasks, AtomicBoolean stop)
                throws InterruptedException;
    }

    private Delays() {}

    /** Adds the probes for each of the given numbers of carriers. */
    static void addTo(Workloads workloads, IntFunction<Host> hosts, int... carriers) {
        for (int count : carriers) {
            for (var load : Load.values()) {
                var name = "delay_" + load.name().toLowerCase(Locale.ROOT).replace("_tasks", "") + "_" + count + "w";
                workloads.addProbe(name, samples -> underLoad(name, hosts.apply(count), load, samples));
            }
            if (count > 1) {
                workloads.addProbe(
                        "woken_by_computing_" + count + "w",
                        samples -> wokenByComputing("woken_by_computing_" + count + "w", hosts.apply(count), samples));
            }
        }
    }

    private static Map<String, Double> underLoad(String name, Host host, Load load, int samples)
            throws InterruptedException {
        var stop = new AtomicBoolean();
        var spawn = new long[samples];
        var blocking = new long[samples];
        var timer = new long[samples];
        try (host;
                var watch = Executors.newSingleThreadScheduledExecutor()) {
            var busy = host.tasks();
            load.start(host, host.channels(), busy, stop);
            try {
                int i = -samples / 4; // the first ones warm up
                for (; i < samples && !stop.get(); i++) {
                    int at = Math.max(0, i);
                    var never = watch.schedule(() -> stop.set(true), NEVER_MILLIS, TimeUnit.MILLISECONDS);
                    spawn[at] = inTask(host, System.nanoTime(), System::nanoTime);
                    blocking[at] = inTask(host, 0, () -> -host.runBlocking() + System.nanoTime());
                    timer[at] = inTask(host, TimeUnit.MILLISECONDS.toNanos(1), () -> {
                        long start = System.nanoTime();
                        host.sleepOneMilli();
                        return System.nanoTime() - start;
                    });
                    never.cancel(false);
                }
                if (stop.get()) { // what did not come is as late as what came last
                    fill(spawn, i);
                    fill(blocking, i);
                    fill(timer, i);
                }
            } finally {
                stop.set(true);
                busy.join();
            }
        }
        var figures = new LinkedHashMap<String, Double>();
        figures.put(name + "_spawn", millis(ofHundred(99, spawn)));
        figures.put(name + "_blocking", millis(ofHundred(99, blocking)));
        figures.put(name + "_timer", millis(ofHundred(99, timer)));
        figures.put(
                name + "_max",
                millis(Math.max(ofHundred(100, spawn), Math.max(ofHundred(100, blocking), ofHundred(100, timer)))));
        return figures;
    }

    private static void fill(long[] samples, int taken) {
        int last = Math.clamp(taken - 1, 0, samples.length - 1);
        Arrays.fill(samples, last, samples.length, samples[last]);
    }

    private interface Reading {
        long read() throws InterruptedException;
    }

    /** What a task started from outside reads, less what is given. */
    private static long inTask(Host host, long less, Reading reading) throws InterruptedException {
        var value = new long[1];
        host.tasks().start(() -> value[0] = reading.read() - less).join();
        return value[0];
    }

    private static Map<String, Double> wokenByComputing(String name, Host host, int samples)
            throws InterruptedException {
        try (host) {
            var delays = new long[samples];
            for (int i = -samples / 4; i < samples; i++) {
                delays[Math.max(0, i)] = wokenByComputing(host, host.channels());
            }
            return Map.of(name, millis(ofHundred(100, delays)));
        }
    }

    /** The waker computes until the woken task has run, which is as good as going on for the full time. */
    private static <C> long wokenByComputing(Host host, Channels<C> channels) throws InterruptedException {
        var channel = channels.open(1);
        var ran = new AtomicBoolean();
        var times = new long[2];
        var woken = host.tasks().start(() -> {
            channels.receive(channel);
            times[1] = System.nanoTime();
            ran.set(true);
        });
        Thread.sleep(10); // it waits by now, and the carriers have nothing to do
        var waker = host.tasks().start(() -> {
            times[0] = System.nanoTime();
            channels.send(channel, Workloads.ITEM);
            long end = times[0] + TimeUnit.MILLISECONDS.toNanos(COMPUTE_MILLIS);
            while (!ran.get() && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        });
        woken.join();
        waker.join();
        return times[1] - times[0];
    }

    /** The value that so many of a hundred samples do not exceed. */
    static long ofHundred(int percent, long[] samples) {
        return ofThousand(percent * 10, samples);
    }

    /** The value that so many of a thousand samples do not exceed; the least for 0. */
    static long ofThousand(int perMille, long[] samples) {
        var sorted = samples.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.max(0, ((long) sorted.length * perMille + 999) / 1_000 - 1)];
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }
}
