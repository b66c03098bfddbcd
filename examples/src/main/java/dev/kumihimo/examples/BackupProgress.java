package dev.kumihimo.examples;

import dev.kumihimo.time.Interval;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** How far a {@link Backup} is, as a bar that moves on a terminal or as a line in a second. */
final class BackupProgress {
    private static final int BAR = 30;

    private final boolean bar;
    private final boolean silent;
    private final LongAdder foundFiles = new LongAdder();
    private final LongAdder foundBytes = new LongAdder();
    private final LongAdder movedBytes = new LongAdder();
    private final AtomicLong copied = new AtomicLong();
    private final AtomicLong kept = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private String shown = "";

    private BackupProgress(boolean bar, boolean silent) {
        this.bar = bar;
        this.silent = silent;
    }

    static BackupProgress of(String how) {
        System.setProperty("jdk.console", "java.base"); // which has a console only if there is a terminal
        return new BackupProgress(
                how.equals("bar") || how.equals("auto") && System.console() != null, how.equals("none"));
    }

    /* ---------------- What happens, told by any task -------------- */

    void found(long bytes) {
        foundFiles.increment();
        foundBytes.add(bytes);
    }

    void moved(long bytes) {
        movedBytes.add(bytes);
    }

    void done(boolean wasCopied) {
        (wasCopied ? copied : kept).incrementAndGet();
    }

    void failed() {
        failed.incrementAndGet();
    }

    /* ---------------- Showing it -------------- */

    /** Shows it until it is aborted. */
    void show() throws InterruptedException {
        if (silent) {
            return;
        }
        Interval every = Interval.of(bar ? Duration.ofMillis(100) : Duration.ofSeconds(1));
        while (true) {
            every.tick();
            if (bar) {
                draw();
            } else if (foundFiles.sum() > 0 && !shown.equals(shown = counts())) {
                System.out.println(shown);
            }
        }
    }

    private void draw() {
        long found = foundBytes.sum();
        double part = found == 0 ? 0 : Math.min(1, (double) movedBytes.sum() / found);
        int full = (int) (BAR * part);
        System.out.print("\r[" + "#".repeat(full) + ".".repeat(BAR - full) + "] "
                + String.format(Locale.ROOT, "%3d %%  ", (int) (100 * part)) + counts() + "\033[K");
        System.out.flush();
    }

    private String counts() {
        return copied.get() + kept.get() + failed.get() + " of " + foundFiles.sum() + " files, "
                + megabytes(movedBytes.sum()) + " of " + megabytes(foundBytes.sum()) + " MB";
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / 1e6);
    }

    /** Shows the result. */
    void end() {
        if (bar) {
            draw();
            System.out.println();
        }
        System.out.println("Backup: " + copied + " copied, " + kept + " there already, " + failed + " errors");
    }
}
