package dev.kumihimo.test.matrix;

import dev.kumihimo.io.BytePipe;
import dev.kumihimo.io.ByteStreams;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** Pipes in memory, of which duplex streams are made: numbered bytes, each read once. */
final class PipeRows {
    private PipeRows() {}

    static List<Row> all() {
        return List.of(
                new Row("ByteSource.read, of a pipe", s -> new Reading()),
                new Row("ByteSink.write, to a pipe", s -> new Writing()));
    }

    private interface Io {
        Object call() throws IOException;
    }

    private abstract static class OnPipe extends Subject {
        final BytePipe pipe;
        final List<Integer> written = new ArrayList<>();
        final List<Integer> read = new ArrayList<>();
        private boolean closed;
        private int bytes;

        OnPipe(int capacity) {
            pipe = ByteStreams.pipe(capacity);
        }

        /** As the matrix expects it of what need not fit java.io. */
        static Object told(Io io) throws Exception {
            try {
                return io.call();
            } catch (SocketTimeoutException e) {
                throw new TimeoutException(e.getMessage());
            } catch (InterruptedIOException e) {
                ensure(Thread.interrupted(), "the flag is not set");
                throw (InterruptedException) e.getCause();
            }
        }

        ByteBuffer newByte() {
            return ByteBuffer.wrap(new byte[] {(byte) bytes++});
        }

        void tryWrite() {
            ByteBuffer source = newByte();
            try {
                if (pipe.sink().tryWrite(source) == 1) {
                    written.add((int) source.get(0));
                }
            } catch (IOException e) {
                // not written
            }
        }

        boolean tryRead() {
            ByteBuffer target = ByteBuffer.allocate(1);
            try {
                boolean got = pipe.source().tryRead(target) == 1;
                if (got) {
                    read.add((int) target.get(0));
                }
                return got;
            } catch (IOException e) {
                return false;
            }
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            try {
                closed = true;
                pipe.source().close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        boolean saysClosed(Throwable e) {
            return e instanceof ClosedChannelException
                    || String.valueOf(e.getMessage()).contains("broken pipe");
        }

        @Override
        void check(List<Outcome> outcomes) {
            while (tryRead()) {
                // what is left
            }
            if (closed) {
                ensureEqual(read, written.subList(0, read.size()), "read"); // the rest was dropped
            } else {
                ensureEqual(
                        read.stream().sorted().toList(),
                        written.stream().sorted().toList(),
                        "read");
            }
        }
    }

    private static final class Reading extends OnPipe {
        Reading() {
            super(8);
        }

        @Override
        Object op(int who) throws Exception {
            return told(() -> {
                ByteBuffer target = ByteBuffer.allocate(1);
                pipe.source().read(target);
                return noted(target);
            });
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return told(() -> {
                ByteBuffer target = ByteBuffer.allocate(1);
                pipe.source().read(target, timeout);
                return noted(target);
            });
        }

        private Object noted(ByteBuffer target) {
            int value = target.get(0);
            read.add(value);
            return value;
        }

        @Override
        void tryGrant() {
            tryWrite();
        }

        @Override
        boolean couldGo(int first) {
            return read.size() < written.size();
        }

        @Override
        long rank(Object value) {
            return (Integer) value;
        }
    }

    /** A pipe for one byte, which is there: each waits until it is read. */
    private static final class Writing extends OnPipe {
        Writing() {
            super(1);
            tryWrite();
        }

        @Override
        Object op(int who) throws Exception {
            return told(() -> {
                ByteBuffer source = newByte();
                int value = source.get(0);
                pipe.sink().write(source);
                written.add(value);
                return value;
            });
        }

        @Override
        boolean timed() {
            return false;
        }

        @Override
        void tryGrant() {
            tryRead();
        }

        @Override
        boolean couldGo(int first) {
            return read.size() == written.size();
        }

        @Override
        void use() {
            tryRead();
            int before = written.size();
            tryWrite();
            ensure(written.size() == before + 1, "there is no room");
        }
    }
}
