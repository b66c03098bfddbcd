package dev.kumihimo.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long busy carriers leave between two selections: longer while these repeat what is known, and shorter with news. */
@Timeout(30)
class DriverSpacingTest {
    private static final class NoHost implements Driver.Host {
        @Override
        public boolean callerAttends() {
            return true;
        }

        @Override
        public void attend() {
            throw new AssertionError("nobody to attend");
        }
    }

    private final Driver driver = new Driver(new NoHost());
    private Pipe pipe;
    private Readiness input;

    @BeforeEach
    void register() throws IOException {
        pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        input = driver.register(pipe.source());
    }

    @AfterEach
    void close() throws IOException {
        driver.close();
        pipe.source().close();
        pipe.sink().close();
    }

    private void send() throws IOException {
        pipe.sink().write(ByteBuffer.allocate(1));
        input.arm(SelectionKey.OP_READ);
    }

    /** Lets unread data be reported until the driver does not look out for it any more; returns the spacings on the way. */
    private List<Integer> repeat() {
        List<Integer> spacings = new ArrayList<>(List.of(driver.spacing()));
        while (input.isArmed(SelectionKey.OP_READ)) {
            driver.poll();
            if (driver.spacing() != spacings.getLast()) {
                spacings.add(driver.spacing());
            }
        }
        return spacings;
    }

    @Test
    void repeats_areAskedForEverMoreSeldom_upTo8Milliseconds() throws IOException {
        send();
        assertThat(repeat()).containsExactly(1, 2, 4, 8);
    }

    @Test
    void news_areAskedForOftenerAgain() throws IOException {
        send();
        repeat();
        input.dropEvent(SelectionKey.OP_READ);
        pipe.source().read(ByteBuffer.allocate(1));
        send();
        while (!input.isReady(SelectionKey.OP_READ)) {
            driver.poll();
        }
        assertThat(driver.spacing()).isEqualTo(4);
    }

    @Test
    void silence_isAskedForOftenerAgain() throws IOException {
        send();
        repeat();
        List<Integer> spacings = new ArrayList<>(List.of(driver.spacing()));
        while (driver.spacing() > 1 && !Thread.interrupted()) { // nothing is armed: each selection is empty
            driver.poll();
            if (driver.spacing() != spacings.getLast()) {
                spacings.add(driver.spacing());
            }
        }
        assertThat(spacings).containsExactly(8, 4, 2, 1);
    }
}
