package dev.kumihimo.lincheck;

import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.LaggedException;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;

/** A broadcast's operations as Lincheck calls them, of either kind. A gap is told of in the result. */
@Param(name = "item", gen = IntGen.class, conf = "1:9")
@Param(name = "receiver", gen = IntGen.class, conf = "0:1")
public abstract class BroadcastOperations {
    private final ThreadLocal<Long> gap = new ThreadLocal<>();
    private List<Broadcast.Receiver<Integer>> receivers;

    /** Sets the receivers, of which the second was subscribed with the listener {@link #onLag}. */
    final void receiveBy(Broadcast.Receiver<Integer> first, Broadcast.Receiver<Integer> second) {
        receivers = List.of(first, second);
    }

    final void onLag(long missed) {
        gap.set(missed);
    }

    final Broadcast.Receiver<Integer> receiver(int index) {
        return receivers.get(index);
    }

    /** A receive of any kind. */
    interface Receive {
        Integer from(Broadcast.Receiver<Integer> receiver) throws Exception;
    }

    final Object result(int receiver, Receive receive) throws Exception {
        try {
            Integer item = receive.from(receiver(receiver));
            Long missed = gap.get();
            gap.remove();
            return item == null
                    ? ChannelOperations.NOTHING
                    : missed == null ? item : BroadcastModel.after(missed, item);
        } catch (LaggedException lag) {
            return BroadcastModel.missed(lag.missed());
        }
    }

    @Operation
    public Object tryReceive(@Param(name = "receiver") int receiver) throws Exception {
        return result(receiver, Broadcast.Receiver::tryReceive);
    }

    @Operation
    public long size(@Param(name = "receiver") int receiver) {
        return receiver(receiver).size();
    }

    @Operation(runOnce = true)
    public boolean closeReceiver(@Param(name = "receiver") int receiver) {
        receiver(receiver).close();
        return true;
    }
}
