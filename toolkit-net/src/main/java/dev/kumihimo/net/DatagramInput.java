package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.select.Clause;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: as ChannelStream, by datagrams. A receive that finds none has shown that the next one would not either; one that
 * finds one knows nothing of the next.
 *
 * Truncation: the JDK does not tell of it, so a receive makes room for one byte more than the caller has, in a buffer of the
 * socket, and copies. A caller with room for the largest datagram gets it without that copy.
 *
 * Peeking: the JDK has none either. A peek receives the whole datagram and keeps it as "ahead", from which the next receive
 * takes it. The driver knows nothing of that, so whoever keeps one announces it to the selects (Direction.announce). It is
 * announced after every tried(), and taken by whoever has the next turn to receive before that calls tried() or await().
 *
 * Fields: scratch, ahead: guarded by the turn of the direction.
 *
 * Cancellation: all waits come before the system call whose result is returned.
 *
 * Checked by: UdpSocketTest.
 */

/** The receiving of a {@link UdpSocket}. */
final class DatagramInput {
    private final UdpSocket socket;
    private final DatagramChannel channel;
    private final Direction direction;

    private ByteBuffer scratch = ByteBuffer.allocate(0);
    private @Nullable Ahead ahead;

    /** A datagram that was peeked at. */
    private record Ahead(InetSocketAddress sender, ByteBuffer content) {}

    DatagramInput(UdpSocket socket, DatagramChannel channel, Readiness readiness) {
        this.socket = socket;
        this.channel = channel;
        this.direction = new Direction(channel, readiness, SelectionKey.OP_READ);
    }

    Clause<@Nullable Void> clause() {
        return direction.clause();
    }

    /** Receives or peeks at the next datagram, waiting for one until a deadline. */
    Datagram takeBefore(ByteBuffer target, boolean peek, long deadline) throws IOException {
        ensureWritable(target);
        try (Permit turn = direction.enter(deadline)) {
            while (true) {
                if (ahead != null || !direction.exhausted || deadline == Deadlines.NOW) {
                    Datagram taken = takeNow(target, peek);
                    if (taken != null) {
                        return taken;
                    }
                }
                if (!direction.await(deadline)) {
                    throw Deadlines.passed("a receive by " + socket);
                }
            }
        } catch (SocketException e) {
            throw Addresses.at(socket.toString(), e);
        }
    }

    /** Receives or peeks at the next datagram if there is one and it is the caller's turn, or gives null. */
    @Nullable
    Datagram tryTake(ByteBuffer target, boolean peek) throws IOException {
        ensureWritable(target);
        try (Permit turn = direction.tryEnter()) {
            return turn == null ? null : takeNow(target, peek);
        } catch (SocketException e) {
            throw Addresses.at(socket.toString(), e);
        }
    }

    /** It would be found out when the datagram is gone. */
    private static void ensureWritable(ByteBuffer target) {
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("the buffer is read-only");
        }
    }

    private @Nullable Datagram takeNow(ByteBuffer target, boolean peek) throws IOException {
        Ahead kept = ahead;
        InetSocketAddress peer = socket.peerAddress();
        if (kept != null && peer != null && !kept.sender.equals(peer)) {
            kept = null; // from before the connection
            keep(null);
        }
        if (kept == null) {
            if (!peek) {
                return receiveNow(target);
            }
            kept = receiveAhead();
            if (kept == null) {
                return null;
            }
            keep(kept);
        } else if (!peek) {
            keep(null);
        }
        return handOver(kept.content.duplicate(), target, kept.sender);
    }

    private void keep(@Nullable Ahead kept) {
        ahead = kept;
        if (kept != null) {
            direction.announce();
        } else {
            direction.tried(false); // the event was ours; the system has not been asked
        }
    }

    private @Nullable Ahead receiveAhead() throws IOException {
        // not the scratch, which would stay as large as that for good
        ByteBuffer whole = ByteBuffer.allocate(UdpSocket.LARGEST);
        InetSocketAddress sender = receiveInto(whole);
        if (sender == null) {
            return null;
        }
        ByteBuffer content = ByteBuffer.allocate(whole.flip().remaining());
        return new Ahead(sender, content.put(whole).flip());
    }

    private @Nullable Datagram receiveNow(ByteBuffer target) throws IOException {
        int room = target.remaining();
        if (room < UdpSocket.LARGEST) {
            ByteBuffer oneMore = scratch(room + 1);
            InetSocketAddress sender = receiveInto(oneMore);
            return sender == null ? null : handOver(oneMore.flip(), target, sender);
        }
        int start = target.position();
        int limit = target.limit();
        target.limit(start + UdpSocket.LARGEST); // of a heap buffer the JDK makes a direct copy of this size
        try {
            InetSocketAddress sender = receiveInto(target);
            return sender == null ? null : new Datagram(sender, target.position() - start, false);
        } finally {
            target.limit(limit);
        }
    }

    /** Puts in what fits. */
    private static Datagram handOver(ByteBuffer content, ByteBuffer target, InetSocketAddress sender) {
        int length = Math.min(content.remaining(), target.remaining());
        boolean truncated = length < content.remaining();
        target.put(content.limit(content.position() + length));
        return new Datagram(sender, length, truncated);
    }

    private @Nullable InetSocketAddress receiveInto(ByteBuffer buffer) throws IOException {
        InetSocketAddress sender = (InetSocketAddress) channel.receive(buffer);
        direction.tried(sender == null);
        return sender;
    }

    /** {@return the socket's own buffer, with a given room; on the heap, since many sockets live short} */
    private ByteBuffer scratch(int room) {
        if (scratch.capacity() < room) {
            scratch = ByteBuffer.allocate(Math.min(UdpSocket.LARGEST, Math.max(room, 2 * scratch.capacity())));
        }
        return scratch.clear().limit(room);
    }
}
