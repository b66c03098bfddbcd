package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The buffer of a channel, up to lengths that no test can allocate. */
class ChannelRingTest {
    private static final int MOST = Integer.MAX_VALUE - 8;

    @Test
    void grown_doubles_upToTheLargestArray() {
        List<Integer> lengths = new ArrayList<>(List.of(1));
        while (lengths.get(lengths.size() - 1) < MOST && lengths.size() < 40) {
            lengths.add(ChannelCore.grown(lengths.get(lengths.size() - 1)));
        }
        assertThat(lengths).hasSize(32).startsWith(1, 2, 4).endsWith(1 << 29, 1 << 30, MOST);
        assertThat(ChannelCore.grown(MOST / 2)).isEqualTo(MOST - 1);
        assertThat(ChannelCore.grown(MOST / 2 + 1)).isEqualTo(MOST);
        assertThat(ChannelCore.grown(MOST - 1)).isEqualTo(MOST);
    }

    @Test
    void grown_tellsTheSize_beyondTheLargestArray() {
        assertThatThrownBy(() -> ChannelCore.grown(MOST))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("size=2147483639: a channel buffers 0 to 2147483639 items");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 16, 1 << 30, MOST})
    void place_goesRound(int length) {
        assertThat(ChannelCore.place(0, 0, length)).isZero();
        assertThat(ChannelCore.place(0, length - 1, length)).isEqualTo(length - 1);
        assertThat(ChannelCore.place(length - 1, 0, length)).isEqualTo(length - 1);
        assertThat(ChannelCore.place(length - 1, length - 1, length)).isEqualTo(Math.max(0, length - 2));
        if (length > 1) {
            assertThat(ChannelCore.place(length - 1, 1, length)).isZero();
            assertThat(ChannelCore.place(1, length - 1, length)).isZero();
        }
    }

    /** Against a queue of the JDK's, over the ring's end and through its growth. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 16, 17, 100, Integer.MAX_VALUE})
    void items_comeOutAsTheyWentIn_whateverTheLength(int capacity) {
        Random random = new Random(capacity);
        Channel<Integer> channel = Channel.bounded(capacity);
        Queue<Integer> model = new ArrayDeque<>();
        int next = 0;
        for (int i = 0; i < 2_000; i++) {
            for (int n = random.nextInt(40); n > 0 && channel.trySend(next); n--) {
                model.add(next++);
            }
            assertThat(channel.size()).isEqualTo(model.size());
            for (int n = random.nextInt(40); n > 0; n--) {
                assertThat(channel.tryReceive()).isEqualTo(model.poll());
            }
        }
        assertThat(next).isGreaterThan(1_000);
    }
}
