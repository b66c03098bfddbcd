package dev.kumihimo.net;

import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * A socket of the Unix domain that takes connections of processes of the same machine, at a path.
 *
 * <pre>{@code
 * try (var listener = UnixListener.bind(Path.of("/run/mine/service.sock")).deletePathOnClose()) {
 *     while (true) {
 *         UnixStream session = listener.accept();
 *         Task.spawn(() -> {
 *             try (session) {
 *                 serve(session);
 *             }
 *         });
 *     }
 * }
 * }</pre>
 *
 * <p>Any thread may call any method; several tasks may accept at once and are served in the order of their calls.
 *
 * <p><b>The path</b> is made by binding, and is in the way of the next one that binds there: it stays when the listener is
 * closed, or when its process ends, unless {@link #deletePathOnClose()} was called and the listener is closed. Who may connect
 * is a matter of the permissions of its directory, and on most systems of its own.
 *
 * <p><b>Interruption and cancellation.</b> An {@code accept} that is interrupted, cancelled or out of time leaves the
 * listener open and takes no connection: the next one gets it. See {@link dev.kumihimo.io.ByteStream} for the exception and
 * the interrupt flag.
 *
 * <p><b>Closing</b> gives the descriptor back before it returns (for which it waits up to 10 s, if the runtime's carriers are
 * given no processor), and ends the waits of other threads with {@link java.nio.channels.AsynchronousCloseException}. Sessions
 * that were accepted live on. A listener whose runtime is shut down throws {@link IOException}; it still has to be closed.
 *
 * @since 0.1
 */
public final class UnixListener extends ChannelListener<UnixStream> {
    private final UnixDomainSocketAddress localAddress;

    /** What is to be deleted: the key of the file that binding has made, so that nobody else's is. */
    private volatile @Nullable Object fileToDelete;

    private UnixListener(ServerSocketChannel channel) throws IOException {
        super(channel);
        this.localAddress = (UnixDomainSocketAddress) channel.getLocalAddress();
    }

    /**
     * Listens at a path, which must not exist yet. Up to 4,096 connections that nobody has accepted are held, or as many as the
     * system allows.
     *
     * @param path where, at most about 100 bytes long, in a directory that exists
     * @return the listener, a socket of the caller's runtime
     * @throws java.net.BindException if the path exists, also if nobody listens there; it names the path, as all of these do
     * @throws SocketException if the path is too long, its directory is missing, or it may not be made
     * @throws IOException if the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if the path is not one of the default file system
     */
    public static UnixListener bind(Path path) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        boolean bound = false;
        try {
            channel.configureBlocking(false);
            channel.bind(address, BACKLOG);
            bound = true;
            return new UnixListener(channel);
        } catch (SocketException e) {
            undo(channel, bound ? path : null);
            throw Addresses.at("cannot listen on " + Addresses.text(address), e);
        } catch (Throwable e) {
            undo(channel, bound ? path : null);
            throw e;
        }
    }

    private static void undo(ServerSocketChannel channel, @Nullable Path made) throws IOException {
        try {
            if (made != null) {
                Files.deleteIfExists(made); // while the socket still has it, so that nobody else can have bound there
            }
        } finally {
            channel.close();
        }
    }

    /**
     * Has {@link #close()} delete the path before it closes the socket, unless there is another file by then. A process that
     * ends without closing leaves it.
     *
     * @return this
     * @throws IOException if the path cannot be looked at, or is there no more
     */
    public UnixListener deletePathOnClose() throws IOException {
        fileToDelete = keyOf(localAddress.getPath());
        return this;
    }

    /** {@return what tells a file from others at the same path} Where the system has no such thing, all files are the same. */
    private static Object keyOf(Path path) throws IOException {
        Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        return key == null ? path : key;
    }

    @Override
    UnixStream adopt(SocketChannel accepted) throws IOException {
        return UnixStream.adopt(accepted);
    }

    @Override
    String where() {
        return Addresses.text(localAddress);
    }

    /** {@return where it listens} */
    public UnixDomainSocketAddress localAddress() {
        return localAddress;
    }

    /**
     * Closes the listener; connections that nobody accepted are reset. The path stays, unless {@link #deletePathOnClose()} was
     * called. Idempotent.
     *
     * @throws IOException if the path cannot be deleted, or the system reports another error; the listener is closed
     *     nevertheless
     */
    @Override
    public void close() throws IOException {
        try {
            if (isOpen()) {
                deletePath();
            }
        } finally {
            super.close();
        }
    }

    private void deletePath() throws IOException {
        Object file = fileToDelete;
        Path path = localAddress.getPath();
        try {
            if (file != null && file.equals(keyOf(path))) {
                Files.deleteIfExists(path);
            }
        } catch (NoSuchFileException e) {
            // somebody else was quicker
        }
    }

    @Override
    public String toString() {
        return "UnixListener[" + where() + (isOpen() ? "]" : ", closed]");
    }
}
