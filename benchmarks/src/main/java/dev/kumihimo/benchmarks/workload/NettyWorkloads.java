package dev.kumihimo.benchmarks.workload;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** The raw HTTP server on Netty, over its own epoll transport or over NIO; one event loop per worker. */
final class NettyWorkloads extends Workloads {
    private final EventLoopGroup group;
    private final Class<? extends ServerChannel> channel;

    private NettyWorkloads(String column, IoHandlerFactory transport, Class<? extends ServerChannel> channel) {
        super(column);
        System.setProperty("io.netty.leakDetection.level", "disabled");
        this.group = new MultiThreadIoEventLoopGroup(Program.workers(), transport);
        this.channel = channel;
    }

    /** Fails where there is no native library for this system. */
    static NettyWorkloads epoll() {
        return new NettyWorkloads("netty_epoll", EpollIoHandler.newFactory(), EpollServerSocketChannel.class);
    }

    static NettyWorkloads nio() {
        var workloads = new NettyWorkloads("netty_nio", NioIoHandler.newFactory(), NioServerSocketChannel.class);
        NettyTls.addTo(workloads, workloads.group);
        return workloads;
    }

    /** There are no tasks: what starts and awaits the event loops' work runs in the caller. */
    @Override
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        try {
            return body.call();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw new ExecutionException(e);
        }
    }

    @Override
    public boolean serves() {
        return true;
    }

    @Override
    public int serve() throws InterruptedException {
        var listening = new ServerBootstrap()
                .group(group)
                .channel(channel)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel connection) {
                        connection.pipeline().addLast(new Answers());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync();
        return ((InetSocketAddress) listening.channel().localAddress()).getPort();
    }

    @Override
    public void close() {
        group.shutdownGracefully();
    }

    /** Answers each request of one connection. */
    private static final class Answers extends ChannelInboundHandlerAdapter {
        private final ByteBuf answer = Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(HelloServer.answer()));
        private final ByteBuf requests = Unpooled.directBuffer(HelloServer.BUFFER_SIZE);

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            var bytes = (ByteBuf) message;
            requests.writeBytes(bytes);
            bytes.release();
            for (int end; (end = endOfRequest()) >= 0; requests.readerIndex(end)) {
                context.write(answer.duplicate(), context.voidPromise());
            }
            requests.discardReadBytes();
        }

        private int endOfRequest() {
            for (int i = requests.readerIndex(); i <= requests.writerIndex() - Integer.BYTES; i++) {
                if (requests.getByte(i) == '\r' && requests.getInt(i) == HelloServer.BLANK_LINE) {
                    return i + Integer.BYTES;
                }
            }
            return -1;
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            requests.release();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
