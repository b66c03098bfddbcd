package dev.kumihimo.net;

import java.net.InetSocketAddress;
import java.util.Objects;

/**
 * What a {@link UdpSocket} tells of a datagram; its bytes are in the buffer that was given.
 *
 * <pre>{@code
 * Datagram question = socket.receive(buffer.clear());
 * if (question.truncated()) {
 *     log.warn("a question of {} was longer than {} bytes", question.sender(), question.length());
 * } else {
 *     socket.sendTo(answer(buffer.flip()), question.sender());
 * }
 * }</pre>
 *
 * @param sender who sent it
 * @param length how many of its bytes are in the buffer: 0 or more, since a datagram may be empty
 * @param truncated whether it had more bytes than there was room for; these are lost if it was received, and not if it was
 *     peeked at
 * @since 0.1
 */
public record Datagram(InetSocketAddress sender, int length, boolean truncated) {
    /** Checks the values. */
    public Datagram {
        Objects.requireNonNull(sender, "sender");
        if (length < 0) {
            throw new IllegalArgumentException("length=" + length + " must be at least 0");
        }
    }
}
