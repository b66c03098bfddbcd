package dev.kumihimo.test.guide;

import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.Task;
import java.io.IOException;
import java.time.Duration;

/** Calls what may fail, and waits longer after each failure. */
record Retry(int attempts, Duration first, Duration longest) {
    <T> T call(Body<T, IOException> body) throws IOException, InterruptedException {
        Duration pause = first;
        for (int attempt = 1; ; attempt++) {
            try {
                return body.call();
            } catch (IOException e) {
                if (attempt == attempts) {
                    throw e;
                }
            }
            Task.sleep(pause);
            pause = pause.multipliedBy(2).compareTo(longest) < 0 ? pause.multipliedBy(2) : longest;
        }
    }
}
