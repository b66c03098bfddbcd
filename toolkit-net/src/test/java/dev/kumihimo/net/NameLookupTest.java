package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class NameLookupTest {
    private static final NameLookup NOBODY = new NameLookup(host -> {
        throw new UnknownHostException(host + " was asked for");
    });

    @Test
    void resolve_takesLiteralAddresses_withoutAskingAnybody() throws Exception {
        for (String literal : List.of("192.0.2.7", "::1", "2001:db8::7", "")) {
            List<InetSocketAddress> found = NOBODY.resolveBefore(literal, 80, Deadlines.NOW);
            assertThat(found).singleElement().satisfies(address -> {
                assertThat(address.getAddress()).isEqualTo(InetAddress.getByName(literal));
                assertThat(address.getPort()).isEqualTo(80);
            });
        }
        assertThatThrownBy(() -> NOBODY.resolveBefore("1.2.3", 80, Deadlines.NEVER))
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining("1.2.3 was asked for");
    }

    @Test
    void resolve_asksOnTheBlockingPool_andKeepsTheOrder() throws Exception {
        InetAddress[] answer = {InetAddress.getByName("192.0.2.2"), InetAddress.getByName("192.0.2.1")};
        Thread[] asked = new Thread[1];
        NameLookup lookup = new NameLookup(host -> {
            asked[0] = Thread.currentThread();
            return answer;
        });
        try (TaskRuntime runtime = runtime(1)) {
            List<InetSocketAddress> found = runtime.blockOn(() -> lookup.resolveBefore("two", 443, Deadlines.NEVER));
            assertThat(found)
                    .containsExactly(new InetSocketAddress(answer[0], 443), new InetSocketAddress(answer[1], 443));
            assertThat(asked[0].isVirtual()).isFalse();
        }
    }

    @Test
    void resolve_findsLocalhost() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            runtime.blockOn(() -> {
                assertThat(NameLookup.resolve("localhost", 80))
                        .isNotEmpty()
                        .allSatisfy(address -> assertThat(address.getAddress().isLoopbackAddress())
                                .isTrue());
                assertThat(NameLookup.resolve("localhost:81")).isNotEmpty();
                assertThat(NameLookup.resolve("localhost", 81, Duration.ofSeconds(20)))
                        .isNotEmpty();
            });
        }
    }

    @Test
    void resolve_saysWhichHostHasNoAddress() throws Exception {
        NameLookup empty = new NameLookup(host -> new InetAddress[0]);
        assertThatThrownBy(() -> empty.resolveBefore("nothing", 80, Deadlines.NEVER))
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining("nothing");
        NameLookup broken = new NameLookup(host -> {
            throw new IllegalStateException("broken");
        });
        assertThatThrownBy(() -> broken.resolveBefore("some-name", 80, Deadlines.NEVER))
                .isExactlyInstanceOf(IOException.class)
                .hasMessageContaining("some-name")
                .hasRootCauseMessage("broken");
    }

    @Test
    void resolve_goesOnAtOnce_whenTheResolverHangs() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        NameLookup hanging = new NameLookup(host -> {
            while (true) { // heeds no interrupt, as the system's
                try {
                    release.await();
                    return new InetAddress[] {InetAddress.getLoopbackAddress()};
                } catch (InterruptedException e) {
                    // once more
                }
            }
        });
        try (TaskRuntime runtime = runtime(1)) {
            assertThatThrownBy(() -> runtime.blockOn(
                            () -> hanging.resolveBefore("slow", 80, Deadlines.of(Duration.ofMillis(50)))))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining("the lookup of slow");
            JoinHandle<List<InetSocketAddress>> looking =
                    runtime.spawn(() -> hanging.resolveBefore("slow", 80, Deadlines.NEVER));
            untilWaiting(looking);
            looking.abort();
            assertThat(looking.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThatThrownBy(() -> runtime.blockOn(
                            () -> TcpStream.connectBefore(hanging, "slow", 80, Deadlines.of(Duration.ofMillis(50)))))
                    .isInstanceOf(SocketTimeoutException.class);
            release.countDown();
        }
    }

    @Test
    void parse_partsHostAndPort() {
        assertThat(NameLookup.parse("localhost:80")).isEqualTo(InetSocketAddress.createUnresolved("localhost", 80));
        assertThat(NameLookup.parse("192.0.2.1:0")).isEqualTo(InetSocketAddress.createUnresolved("192.0.2.1", 0));
        assertThat(NameLookup.parse("[2001:db8::1]:65535"))
                .isEqualTo(InetSocketAddress.createUnresolved("2001:db8::1", 65535));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "localhost",
                "localhost:",
                ":80",
                "::1:80",
                "[::1]",
                "[]:80",
                "a:b",
                "a:-1",
                "a:65536",
                "a:999999",
                "[a:80"
            })
    void parse_refusesWhatIsNoHostAndPort(String text) {
        assertThatThrownBy(() -> NameLookup.parse(text)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> NameLookup.resolve(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void resolve_refusesPortsOutOfRange() {
        for (int port : new int[] {-1, 65536}) {
            assertThatThrownBy(() -> NameLookup.resolve("127.0.0.1", port))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("port=" + port);
        }
    }

    @Test
    void resolve_asksNobody_withoutTimeToWait() throws Exception {
        AtomicInteger tasks = new AtomicInteger();
        try (TaskRuntime runtime = TaskRuntime.builder()
                .workerThreads(1)
                .onTaskStart(task -> tasks.incrementAndGet())
                .build()) {
            runtime.blockOn(() -> {
                assertThatThrownBy(() -> NOBODY.resolveBefore("some-name", 80, Deadlines.NOW))
                        .isInstanceOf(SocketTimeoutException.class)
                        .hasMessageContaining("some-name");
                assertThat(runtime.liveTasks())
                        .as("with those that are yet to start")
                        .isEqualTo(1);
            });
        }
        assertThat(tasks).as("the one that asks").hasValue(1);
    }
}
