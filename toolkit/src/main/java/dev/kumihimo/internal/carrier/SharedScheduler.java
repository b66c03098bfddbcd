package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.driver.Driver;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The fallback: the JDK's own scheduler, shared by the whole JVM, and the driver on one daemon platform thread. */
final class SharedScheduler implements Scheduler, Driver.Host {
    private static final Logger LOG = LoggerFactory.getLogger("dev.kumihimo.runtime");

    private final Driver driver = new Driver(this);
    private final ThreadFactory threads =
            Thread.ofVirtual().inheritInheritableThreadLocals(false).factory();
    private final int parallelism;
    private volatile boolean closed;

    SharedScheduler(int parallelism, String threadName) {
        this.parallelism = parallelism;
        Thread turner = new Thread(null, this::turn, threadName + "-driver", 0, false);
        turner.setDaemon(true);
        turner.start();
    }

    private void turn() {
        while (!closed) {
            try {
                driver.block(() -> closed); // each turn hands out what has come
            } catch (Throwable e) {
                LOG.error("the driver met an error", e); // no memory, most likely: the next turn may do better
            }
        }
    }

    @Override
    public ThreadFactory threads() {
        return threads;
    }

    @Override
    public Driver driver() {
        return driver;
    }

    @Override
    public boolean isIsolated() {
        return false;
    }

    @Override
    public int parallelism() {
        return parallelism;
    }

    @Override
    public boolean callerAttends() {
        return false;
    }

    @Override
    public void attend() {
        // The driver's thread is between two turns, and looks before it blocks.
    }

    @Override
    public void close() {
        closed = true;
        driver.close();
    }
}
