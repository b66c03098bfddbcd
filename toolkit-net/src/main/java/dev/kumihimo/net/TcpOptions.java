package dev.kumihimo.net;

import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.Set;

/**
 * The options of a TCP socket, connected or not yet.
 *
 * <pre>{@code
 * stream.noDelay(true);
 * stream.keepAlive(true);
 * stream.keepAliveIdle(Duration.ofSeconds(30));
 * }</pre>
 *
 * <p>Each may be read and set at any time while the socket is open; later they throw
 * {@link java.nio.channels.ClosedChannelException}. What the system or the JDK does not have is an
 * {@link UnsupportedOperationException} that names the option. Those marked so need the module {@code jdk.net}: it is there
 * on the class path, and on the module path if something requires it or {@code --add-modules jdk.net} is given.
 *
 * <p>None of them waits.
 *
 * @since 0.1
 */
public sealed interface TcpOptions permits TcpSocket, TcpStream {
    /**
     * {@return the value of an option}
     *
     * @param option one of {@link #supportedOptions()}
     * @param <T> the type of its value
     * @throws UnsupportedOperationException if this socket does not have it
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system refuses
     */
    <T> T option(SocketOption<T> option) throws IOException;

    /**
     * Sets an option.
     *
     * @param option one of {@link #supportedOptions()}
     * @param value its value
     * @param <T> the type of its value
     * @throws UnsupportedOperationException if this socket does not have it
     * @throws IllegalArgumentException if the JDK allows no such value
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system refuses
     */
    <T> void option(SocketOption<T> option, T value) throws IOException;

    /** {@return the options that this socket has on this system} */
    Set<SocketOption<?>> supportedOptions();

    /* ---------------- Delay and service -------------- */

    /**
     * Sets whether small writes are sent at once ({@code TCP_NODELAY}) and not gathered while an answer is outstanding. Off
     * unless set.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    default void noDelay(boolean on) throws IOException {
        option(StandardSocketOptions.TCP_NODELAY, on);
    }

    /**
     * {@return whether small writes are sent at once}
     *
     * @throws IOException if closed
     */
    default boolean noDelay() throws IOException {
        return option(StandardSocketOptions.TCP_NODELAY);
    }

    /**
     * Sets whether what comes in is acknowledged at once ({@code TCP_QUICKACK}, on Linux; module {@code jdk.net}). The system
     * takes it as a wish for the next time and changes it by itself.
     *
     * @param on whether
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IOException if closed, or the system refuses
     */
    default void quickAck(boolean on) throws IOException {
        option(SocketOptions.named(this, "TCP_QUICKACK", Boolean.class), on);
    }

    /**
     * {@return whether what comes in is acknowledged at once, as of now}
     *
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IOException if closed
     */
    default boolean quickAck() throws IOException {
        return option(SocketOptions.named(this, "TCP_QUICKACK", Boolean.class));
    }

    /**
     * Sets the type of service, or traffic class, of what is sent ({@code IP_TOS}). 0 unless set. The network may disregard it, and
     * the system the two lowest bits.
     *
     * @param octet 0 to 255
     * @throws IllegalArgumentException if out of range
     * @throws IOException if closed, or the system refuses
     */
    default void typeOfService(int octet) throws IOException {
        SocketOptions.check("typeOfService", octet, 0, 255);
        option(StandardSocketOptions.IP_TOS, octet);
    }

    /**
     * {@return the type of service, 0 to 255}
     *
     * @throws IOException if closed
     */
    default int typeOfService() throws IOException {
        return option(StandardSocketOptions.IP_TOS);
    }

    /* ---------------- Keeping alive -------------- */

    /**
     * Sets whether the system probes an idle connection ({@code SO_KEEPALIVE}), and ends one whose peer is gone. Off unless
     * set.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    default void keepAlive(boolean on) throws IOException {
        option(StandardSocketOptions.SO_KEEPALIVE, on);
    }

    /**
     * {@return whether the system probes an idle connection}
     *
     * @throws IOException if closed
     */
    default boolean keepAlive() throws IOException {
        return option(StandardSocketOptions.SO_KEEPALIVE);
    }

    /**
     * Sets how long a connection is idle before it is probed ({@code TCP_KEEPIDLE}; module {@code jdk.net}). Two hours as a
     * rule unless set.
     *
     * @param time 1 to 32767 seconds; parts of a second are rounded up
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IllegalArgumentException if out of range
     * @throws IOException if closed, or the system refuses
     */
    default void keepAliveIdle(Duration time) throws IOException {
        int seconds = SocketOptions.seconds("keepAliveIdle", time);
        option(SocketOptions.named(this, "TCP_KEEPIDLE", Integer.class), seconds);
    }

    /**
     * {@return how long a connection is idle before it is probed}
     *
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IOException if closed
     */
    default Duration keepAliveIdle() throws IOException {
        return Duration.ofSeconds(option(SocketOptions.named(this, "TCP_KEEPIDLE", Integer.class)));
    }

    /**
     * Sets the time between two probes ({@code TCP_KEEPINTERVAL}; module {@code jdk.net}). 75 seconds as a rule unless set.
     *
     * @param time 1 to 32767 seconds; parts of a second are rounded up
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IllegalArgumentException if out of range
     * @throws IOException if closed, or the system refuses
     */
    default void keepAliveInterval(Duration time) throws IOException {
        int seconds = SocketOptions.seconds("keepAliveInterval", time);
        option(SocketOptions.named(this, "TCP_KEEPINTERVAL", Integer.class), seconds);
    }

    /**
     * {@return the time between two probes}
     *
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IOException if closed
     */
    default Duration keepAliveInterval() throws IOException {
        return Duration.ofSeconds(option(SocketOptions.named(this, "TCP_KEEPINTERVAL", Integer.class)));
    }

    /**
     * Sets after how many probes without an answer a connection has failed ({@code TCP_KEEPCOUNT}; module {@code jdk.net}). 9
     * as a rule unless set.
     *
     * @param probes 1 to 127
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IllegalArgumentException if out of range
     * @throws IOException if closed, or the system refuses
     */
    default void keepAliveCount(int probes) throws IOException {
        SocketOptions.check("keepAliveCount", probes, 1, 127);
        option(SocketOptions.named(this, "TCP_KEEPCOUNT", Integer.class), probes);
    }

    /**
     * {@return after how many probes without an answer a connection has failed}
     *
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IOException if closed
     */
    default int keepAliveCount() throws IOException {
        return option(SocketOptions.named(this, "TCP_KEEPCOUNT", Integer.class));
    }

    /* ---------------- Buffers and the end -------------- */

    /**
     * Sets how much the system holds of what was written and is not acknowledged ({@code SO_SNDBUF}). Else the system sizes it
     * by itself, as a rule better.
     *
     * @param bytes at least 1; a wish, which the system bounds, and Linux doubles for its own needs
     * @throws IllegalArgumentException if out of range
     * @throws IOException if closed, or the system refuses
     */
    default void sendBufferSize(int bytes) throws IOException {
        SocketOptions.check("sendBufferSize", bytes, 1, Integer.MAX_VALUE);
        option(StandardSocketOptions.SO_SNDBUF, bytes);
    }

    /**
     * {@return how many bytes the system takes for what was written and is not acknowledged; on Linux twice what was set}
     *
     * @throws IOException if closed
     */
    default int sendBufferSize() throws IOException {
        return option(StandardSocketOptions.SO_SNDBUF);
    }

    /**
     * Sets how much the system holds of what came in and was not read ({@code SO_RCVBUF}). To have more than 64 KiB under way, set
     * it before connecting or listening. Else the system sizes it by itself, as a rule better.
     *
     * @param bytes at least 1; a wish, which the system bounds, and Linux doubles for its own needs
     * @throws IllegalArgumentException if out of range
     * @throws IOException if closed, or the system refuses
     */
    default void receiveBufferSize(int bytes) throws IOException {
        SocketOptions.check("receiveBufferSize", bytes, 1, Integer.MAX_VALUE);
        option(StandardSocketOptions.SO_RCVBUF, bytes);
    }

    /**
     * {@return how many bytes the system takes for what came in and was not read; on Linux twice what was set}
     *
     * @throws IOException if closed
     */
    default int receiveBufferSize() throws IOException {
        return option(StandardSocketOptions.SO_RCVBUF);
    }

    /**
     * Sets whether closing drops what was not sent yet and resets the connection ({@code SO_LINGER} of zero). Off unless set. To
     * linger for a longer time has no meaning here: closing never waits, and what was written is sent after it.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    default void resetOnClose(boolean on) throws IOException {
        option(StandardSocketOptions.SO_LINGER, on ? 0 : -1);
    }

    /**
     * {@return whether closing resets the connection}
     *
     * @throws IOException if closed
     */
    default boolean resetOnClose() throws IOException {
        return option(StandardSocketOptions.SO_LINGER) == 0;
    }
}
