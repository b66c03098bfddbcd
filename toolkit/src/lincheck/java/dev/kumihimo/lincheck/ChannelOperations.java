package dev.kumihimo.lincheck;

import dev.kumihimo.channel.Channel;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;

/** A channel's operations as Lincheck calls them, the waiting ones with an end. */
@Param(name = "item", gen = IntGen.class, conf = "1:9")
public abstract class ChannelOperations {
    /** In place of null, which would look like a void method's result. */
    static final Object NOTHING = "nothing";

    final Channel<Integer> channel;

    ChannelOperations(Channel<Integer> channel) {
        this.channel = channel;
    }

    @Operation
    public boolean send(@Param(name = "item") int item) throws Exception {
        channel.send(item, Checks.PATIENCE);
        return true;
    }

    @Operation
    public boolean trySend(@Param(name = "item") int item) {
        return channel.trySend(item);
    }

    @Operation
    public int receive() throws Exception {
        return channel.receive(Checks.PATIENCE);
    }

    @Operation
    public Object tryReceive() {
        Integer item = channel.tryReceive();
        return item == null ? NOTHING : item;
    }

    @Operation(runOnce = true)
    public boolean close() {
        channel.close();
        return true;
    }
}
