package dev.kumihimo.codec;

import static dev.kumihimo.codec.Script.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameBufferTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 1000})
    void everyPut_appends(int capacity) {
        FrameBuffer buffer = new FrameBuffer(capacity);
        buffer.put(0x161);
        buffer.put(bytes("bc"));
        buffer.put(bytes("xdex"), 1, 2);
        buffer.put(ByteBuffer.wrap(bytes("xf"), 1, 1));
        buffer.putShort(0x10102);
        buffer.putInt(0x01020304);
        buffer.putLong(0x0102030405060708L);
        buffer.putUtf8("é\ud800");
        buffer.putNumber(0x010203, 3, ByteOrder.BIG_ENDIAN);
        buffer.putNumber(0x010203, 3, ByteOrder.LITTLE_ENDIAN);
        buffer.putNumber(-1, 8, ByteOrder.LITTLE_ENDIAN);
        String expected = "abcdef\1\2\1\2\3\4\1\2\3\4\5\6\7\10\u00c3\u00a9?\1\2\3\3\2\1" + "\u00ff".repeat(8);
        assertThat(Script.text(buffer.toByteArray())).isEqualTo(expected);
        assertThat(buffer.size()).isEqualTo(expected.length());
    }

    @Test
    void set_replacesWhatWasPut_countedFromWhatIsUnwritten() throws Exception {
        FrameBuffer buffer = new FrameBuffer(4);
        buffer.put(bytes("gone"));
        Script script = new Script().take(3).refuse(new IOException("scripted"));
        assertThatThrownBy(() -> buffer.writeTo(script)).hasMessage("scripted");
        assertThat(buffer.size()).isEqualTo(1);
        int at = buffer.size();
        buffer.putInt(0);
        buffer.put(bytes("frame"));
        buffer.setInt(at, 5);
        assertThat(Script.text(buffer.toByteArray())).isEqualTo("e\0\0\0\5frame");
        buffer.setNumber(at, 0x0102, 2, ByteOrder.LITTLE_ENDIAN);
        buffer.writeTo(script);
        assertThat(script.written()).isEqualTo("gone\2\1\0\5frame");
        assertThatThrownBy(() -> buffer.setInt(0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void truncate_takesBack() {
        FrameBuffer buffer = new FrameBuffer(4);
        buffer.put(bytes("abcdef"));
        buffer.truncate(2);
        buffer.put('x');
        assertThat(Script.text(buffer.toByteArray())).isEqualTo("abx");
        assertThatThrownBy(() -> buffer.truncate(4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> buffer.truncate(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** Puts, takes back, writes in part and as a whole, in any order: what comes out is what a plain buffer would hold. */
    @Test
    void anyMixture_writesWhatWasPut() throws Exception {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            FrameBuffer buffer = new FrameBuffer(1 + random.nextInt(64));
            ByteArrayOutputStream expected = new ByteArrayOutputStream();
            Script script = new Script();
            for (int i = 0; i < 100; i++) {
                byte[] piece = new byte[random.nextInt(50)];
                random.nextBytes(piece);
                buffer.put(piece);
                if (random.nextInt(4) == 0) {
                    buffer.truncate(buffer.size() - piece.length);
                } else {
                    expected.writeBytes(piece);
                }
                if (random.nextInt(3) == 0) {
                    script.take(1 + random.nextInt(20)).take(0);
                    boolean all = buffer.tryWriteTo(script);
                    assertThat(all).isEqualTo(buffer.size() == 0);
                    while (script.unused() > 0) { // it was all written before
                        script.write(ByteBuffer.allocate(0));
                    }
                }
            }
            buffer.writeTo(script);
            assertThat(Script.bytes(script.written())).isEqualTo(expected.toByteArray());
        }
    }

    @Test
    void whatALargeFrameNeeded_isGivenBack_whenItIsWritten() throws Exception {
        FrameBuffer buffer = new FrameBuffer(1024);
        buffer.put(new byte[FrameBuffer.RETAINED / 2]);
        buffer.writeTo(new Script());
        assertThat(buffer.capacity()).isEqualTo(FrameBuffer.RETAINED / 2);
        buffer.put(new byte[FrameBuffer.RETAINED * 4]);
        buffer.writeTo(new Script());
        assertThat(buffer.capacity()).isEqualTo(1024);
    }

    @Test
    void whatLargerFramesNeeded_isGivenBack_onceTheyAreSmall() throws Exception {
        FrameBuffer buffer = new FrameBuffer(64);
        for (int i = 0; i < 2; i++) {
            buffer.put(new byte[10_000]);
            buffer.writeTo(new Script());
            assertThat(buffer.capacity()).isGreaterThanOrEqualTo(10_000);
        }
        buffer.put(1);
        buffer.writeTo(new Script());
        assertThat(buffer.capacity()).isEqualTo(64);
    }

    @Test
    void badArguments_areRefused() {
        assertThatThrownBy(() -> new FrameBuffer(0)).hasMessage("capacity=0 must be at least 1");
        FrameBuffer buffer = new FrameBuffer(1);
        assertThatThrownBy(() -> buffer.putNumber(0, 9, ByteOrder.BIG_ENDIAN))
                .hasMessage("width=9 must be from 1 to 8");
        assertThatThrownBy(() -> buffer.put(new byte[2], 1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
