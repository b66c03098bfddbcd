package dev.kumihimo.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long busy carriers leave between two selections: longer while these repeat what is known, and shorter with news. */
@Timeout(30)
class DriverSpacingTest {
    private static final int MANY = 65;

    private final Driver driver = new Driver(new NoHost());
    private final List<Pipe> pipes = new ArrayList<>();
    private final List<Readiness> inputs = new ArrayList<>();

    private void register(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            Pipe pipe = Pipe.open();
            pipes.add(pipe);
            pipe.source().configureBlocking(false);
            inputs.add(driver.register(pipe.source()));
        }
    }

    @AfterEach
    void close() throws IOException {
        driver.close();
        for (Pipe pipe : pipes) {
            pipe.source().close();
            pipe.sink().close();
        }
    }

    private void send() throws IOException {
        send(0);
    }

    private void send(int first) throws IOException {
        for (int i = first; i < pipes.size(); i++) {
            pipes.get(i).sink().write(ByteBuffer.allocate(1));
            inputs.get(i).arm(SelectionKey.OP_READ);
        }
    }

    private void receive() throws IOException {
        for (int i = 0; i < pipes.size(); i++) {
            inputs.get(i).dropEvent(SelectionKey.OP_READ);
            pipes.get(i).source().read(ByteBuffer.allocate(1));
        }
    }

    /** Turns the driver as busy carriers do, and returns the spacings on the way. */
    private List<Integer> pollWhile(BooleanSupplier condition) {
        List<Integer> spacings = new ArrayList<>(List.of(driver.spacing()));
        while (condition.getAsBoolean() && !Thread.interrupted()) {
            driver.poll();
            if (driver.spacing() != spacings.getLast()) {
                spacings.add(driver.spacing());
            }
        }
        return spacings;
    }

    /** Lets unread data be reported until the driver does not look out for it any more. */
    private List<Integer> repeat() {
        return pollWhile(() -> inputs.getFirst().isArmed(SelectionKey.OP_READ));
    }

    @Test
    void repeats_areAskedForEverMoreSeldom_upTo8Milliseconds() throws IOException {
        register(MANY);
        send();
        long start = driver.nanoTime();
        assertThat(repeat()).containsExactly(1, 2, 4, 8);
        long least = 1 + 2 + 4 + 4 * 8 - 1; // between eight selections, from anywhere in the first millisecond
        assertThat(driver.nanoTime() - start).isGreaterThan(least * 1_000_000);
    }

    @Test
    void repeats_areAskedForAsEver_amongThriceAsManyNews() throws IOException {
        register(MANY);
        send();
        pollWhile(() -> !inputs.getFirst().isReady(SelectionKey.OP_READ));
        register(3 * MANY + 5);
        send(MANY);
        assertThat(pollWhile(() -> !inputs.getLast().isReady(SelectionKey.OP_READ)))
                .containsExactly(1);
    }

    @Test
    void repeats_doNotHoldBackACarrierWithoutWork() throws IOException {
        register(MANY);
        send();
        repeat();
        receive();
        send();
        assertThat(driver.block(() -> true)).isTrue();
        assertThat(inputs.getFirst().isReady(SelectionKey.OP_READ)).isTrue();
    }

    @Test
    void fewRepeats_areAskedForAsEver() throws IOException {
        register(MANY - 1);
        send();
        assertThat(repeat()).containsExactly(1);
    }

    @Test
    void news_areAskedForOftenerAgain() throws IOException {
        register(MANY);
        send();
        repeat();
        receive();
        send();
        assertThat(pollWhile(() -> !inputs.getFirst().isReady(SelectionKey.OP_READ)))
                .containsExactly(8, 4);
    }

    @Test
    void silence_isAskedForOftenerAgain() throws IOException {
        register(MANY);
        send();
        repeat();
        assertThat(pollWhile(() -> driver.spacing() > 1)).containsExactly(8, 4, 2, 1); // nothing is armed
    }
}
