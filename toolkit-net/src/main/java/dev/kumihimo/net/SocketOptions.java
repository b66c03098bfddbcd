package dev.kumihimo.net;

import java.io.IOException;
import java.net.SocketOption;
import java.nio.channels.NetworkChannel;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;

/** What setting options of sockets has in common: finding them, checking values, telling what is not there. */
final class SocketOptions {
    private SocketOptions() {}

    static <T> T get(NetworkChannel channel, SocketOption<T> option) throws IOException {
        ensureSupported(channel.supportedOptions(), option);
        return channel.getOption(option);
    }

    static <T> void set(NetworkChannel channel, SocketOption<T> option, T value) throws IOException {
        ensureSupported(channel.supportedOptions(), option);
        channel.setOption(option, value);
    }

    private static void ensureSupported(Set<SocketOption<?>> supported, SocketOption<?> option) {
        if (!supported.contains(option)) {
            throw new UnsupportedOperationException("option " + option.name()
                    + " cannot be had for this socket on this system, only "
                    + supported.stream().map(SocketOption::name).sorted().collect(Collectors.joining(", ")));
        }
    }

    /**
     * {@return an option by its name} Those that are not of {@code java.base} are found so without needing their module, which
     * may not be there.
     */
    @SuppressWarnings("unchecked") // its type has just been looked at
    static <T> SocketOption<T> named(TcpOptions socket, String name, Class<T> type) {
        for (SocketOption<?> option : socket.supportedOptions()) {
            if (option.name().equals(name) && option.type() == type) {
                return (SocketOption<T>) option;
            }
        }
        throw new UnsupportedOperationException(
                "option " + name + " cannot be had: the system has none, or the module jdk.net is not there");
    }

    /** {@return a time in seconds, rounded up} */
    static int seconds(String name, Duration time) {
        long seconds = time.getNano() > 0 ? time.getSeconds() + 1 : time.getSeconds();
        if (time.isNegative() || seconds < 1 || seconds > Short.MAX_VALUE) {
            throw new IllegalArgumentException(name + "=" + time + " must be 1 to " + Short.MAX_VALUE + " seconds");
        }
        return (int) seconds;
    }

    static void check(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + "=" + value + " must be "
                    + (most == Integer.MAX_VALUE ? "at least " + least : least + " to " + most));
        }
    }
}
