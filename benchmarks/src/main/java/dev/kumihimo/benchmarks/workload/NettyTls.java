package dev.kumihimo.benchmarks.workload;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/** The workloads of TLS on Netty's handler over the JDK's engine, on NIO event loops. */
final class NettyTls {
    private final EventLoopGroup group;

    private NettyTls(EventLoopGroup group) {
        this.group = group;
    }

    static void addTo(Workloads workloads, EventLoopGroup group) {
        var tls = new NettyTls(group);
        workloads.add("tls_bulk", tls::bulk);
        workloads.add("tls_handshake", n -> tls.handshakes(n, false));
        workloads.add("tls_resume", n -> tls.handshakes(n, true));
    }

    private Channel listen(Supplier<ChannelHandler> sessions) throws InterruptedException {
        return new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel connection) {
                        var engine = TlsSetting.get().context().createSSLEngine();
                        engine.setUseClientMode(false);
                        connection.pipeline().addLast(new SslHandler(engine), sessions.get());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
    }

    private void connect(SSLContext context, int port, ChannelHandler session) {
        new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel connection) {
                        var engine = context.createSSLEngine("localhost", port);
                        engine.setUseClientMode(true);
                        var parameters = engine.getSSLParameters();
                        parameters.setEndpointIdentificationAlgorithm("HTTPS");
                        engine.setSSLParameters(parameters);
                        connection.pipeline().addLast(new SslHandler(engine), session);
                    }
                })
                .connect(InetAddress.getLoopbackAddress(), port);
    }

    private static int port(Channel listener) {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    private void bulk(int pieces) throws ExecutionException, InterruptedException {
        var received = new CompletableFuture<Long>();
        long sent = (long) pieces * TlsSetting.PIECE;
        var listener = listen(() -> new Counts(sent, received));
        try {
            connect(TlsSetting.get().context(), port(listener), new Sends(pieces));
            if (received.get() != sent) {
                throw new IllegalStateException("bytes are missing");
            }
        } finally {
            listener.close().sync();
        }
    }

    private void handshakes(int n, boolean resuming) throws InterruptedException {
        var listener = listen(Echoes::new);
        try {
            int port = port(listener);
            var done = new CountDownLatch(TlsSetting.CLIENTS);
            var failure = new AtomicReference<Throwable>();
            for (int i = 0; i < TlsSetting.CLIENTS; i++) {
                new Object() {
                    private int left = n / TlsSetting.CLIENTS;

                    void next() {
                        if (left-- == 0) {
                            done.countDown();
                            return;
                        }
                        try {
                            var setting = TlsSetting.get();
                            connect(
                                    resuming ? setting.context() : setting.newContext(),
                                    port,
                                    new Asks(this::next, failure));
                        } catch (java.security.GeneralSecurityException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                }.next();
            }
            done.await();
            if (failure.get() != null) {
                throw new IllegalStateException(failure.get());
            }
        } finally {
            listener.close().sync();
        }
    }

    /** Sends so many pieces, as long as there is room. Does not close: what it has not read then would reset the connection. */
    private static final class Sends extends ChannelInboundHandlerAdapter {
        private final ByteBuf piece = Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(new byte[TlsSetting.PIECE]));
        private int left;

        Sends(int pieces) {
            this.left = pieces;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            send(context);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            send(context);
        }

        private void send(ChannelHandlerContext context) {
            while (left > 0 && context.channel().isWritable()) {
                left--; // before the write, which can call this method again
                context.writeAndFlush(piece.duplicate());
            }
        }
    }

    /** Closes once it has received so many bytes. */
    private static final class Counts extends ChannelInboundHandlerAdapter {
        private final long expected;
        private final CompletableFuture<Long> end;
        private long received;

        Counts(long expected, CompletableFuture<Long> end) {
            this.expected = expected;
            this.end = end;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            var bytes = (ByteBuf) message;
            received += bytes.readableBytes();
            bytes.release();
            if (received >= expected) {
                context.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end.complete(received);
        }
    }

    private static final class Echoes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.writeAndFlush(message);
        }
    }

    private static final class Asks extends ChannelInboundHandlerAdapter {
        private final Runnable then;
        private final AtomicReference<Throwable> failure;

        Asks(Runnable then, AtomicReference<Throwable> failure) {
            this.then = then;
            this.failure = failure;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.writeAndFlush(Unpooled.wrappedBuffer(new byte[1]));
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ((ByteBuf) message).release();
            context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            then.run();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            failure.set(cause);
            context.close();
        }
    }
}
