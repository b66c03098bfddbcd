package dev.kumihimo.benchmarks.jmh;

import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.PooledBuffer;
import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A direct buffer that is taken, written to and given back. Netty keeps caches for platform threads, as JMH's are; of the pool
 * here all threads share one. {@code -t 2} has two threads at it.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgsAppend = "-XX:MaxDirectMemorySize=1g")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BufferPoolBenchmark {
    @Param({"1024", "65536"})
    public int capacity;

    private final BufferPool pool = BufferPool.create();
    private final ByteBufAllocator pooled = PooledByteBufAllocator.DEFAULT;
    private final ByteBufAllocator adaptive = new AdaptiveByteBufAllocator(true);

    @Benchmark
    public long kumihimo() {
        try (PooledBuffer taken = pool.take(capacity)) {
            return taken.buffer().putLong(0, 1).getLong(0);
        }
    }

    @Benchmark
    public long kumihimoSlice() {
        try (PooledBuffer taken = pool.take(capacity);
                PooledBuffer slice = taken.slice(8, 8)) {
            return slice.buffer().putLong(0, 1).getLong(0);
        }
    }

    @Benchmark
    public long allocateDirect() {
        return ByteBuffer.allocateDirect(capacity).putLong(0, 1).getLong(0);
    }

    @Benchmark
    public long nettyPooled() {
        return use(pooled.directBuffer(capacity));
    }

    @Benchmark
    public long nettyPooledSlice() {
        ByteBuf taken = pooled.directBuffer(capacity);
        ByteBuf slice = taken.retainedSlice(8, 8);
        taken.release();
        return use(slice);
    }

    @Benchmark
    public long nettyAdaptive() {
        return use(adaptive.directBuffer(capacity));
    }

    private static long use(ByteBuf taken) {
        try {
            return taken.setLong(0, 1).getLong(0);
        } finally {
            taken.release();
        }
    }
}
