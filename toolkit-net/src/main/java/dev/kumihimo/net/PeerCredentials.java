package dev.kumihimo.net;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.util.Objects;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;

/**
 * Who is at the other end of a {@link UnixStream}.
 *
 * <pre>{@code
 * if (!session.peerCredentials().user().equals(Files.getOwner(Path.of("/run/mine")))) {
 *     session.close();
 * }
 * }</pre>
 *
 * @param user the user of the peer's process; named by its number if it has no name
 * @param group the group of the peer's process; named by its number if it has no name
 * @since 0.1
 */
public record PeerCredentials(UserPrincipal user, GroupPrincipal group) {
    /** Checks the values. */
    public PeerCredentials {
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(group, "group");
    }

    /** Asks the system. May block: the names are in the user database. */
    static PeerCredentials of(SocketChannel channel) throws IOException {
        // by its name, since the class that has it may not be there
        if (channel.supportedOptions().stream()
                .noneMatch(option -> option.name().equals("SO_PEERCRED"))) {
            throw new UnsupportedOperationException(
                    "option SO_PEERCRED cannot be had: the system has none, or the module jdk.net is not there");
        }
        UnixDomainPrincipal principal = channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
        return new PeerCredentials(principal.user(), principal.group());
    }
}
