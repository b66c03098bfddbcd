package dev.kumihimo.test;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs a test on a carrier of the kit, where driving a runtime costs no handover between threads. */
public final class OnCarrier {
    private OnCarrier() {}

    /** Runs a body that makes and drives test runtimes; its exception comes as it is. */
    public static <T> T call(Callable<T> body, long seconds) throws Exception {
        TestCarrier.Running<T> running = TestCarrier.submit(body);
        try {
            return running.result().get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError(
                    "still running after " + seconds + " s:" + running.carrier().stack());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (Exception) e.getCause();
        }
    }
}
