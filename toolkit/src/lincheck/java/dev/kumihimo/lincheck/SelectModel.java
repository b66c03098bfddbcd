package dev.kumihimo.lincheck;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Selects over two channels: a call that tries each branch, waits in both, and gives up the one once it has the other. A plain
 * send or receive is a select with one branch.
 */
class SelectModel extends WaitingModel {
    /** What a branch gives that sends. What one gives that receives is the item, negated if it is from the second channel. */
    static final int SENT = 0;

    private static final int THREADS = 3;

    private record Branch(int channel, String operation, List<Object> arguments) {}

    private final List<WaitingModel> channels = new ArrayList<>();

    SelectModel(int first, int second) {
        channels.add(new ChannelModel(first));
        channels.add(new ChannelModel(second));
    }

    private SelectModel(SelectModel from) {
        super(from);
        from.channels.forEach(channel -> channels.add(channel.copy()));
    }

    @Override
    WaitingModel copy() {
        return new SelectModel(this);
    }

    /** Which branch is tried first: none is preferred. */
    @Override
    int ways(String operation) {
        return operation.contains("elect") ? 2 : 1;
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        int channel = arguments.isEmpty() ? 0 : (int) arguments.get(0);
        Object result = switch (operation) {
            case "send" -> select(ticket, false, List.of(sending(channel, arguments.get(1))));
            case "receive" -> select(ticket, false, List.of(receiving(channel)));
            case "tryReceive" -> select(ticket, true, List.of(receiving(channel)));
            case "select" -> select(ticket, false, List.of(receiving(0), receiving(1)));
            case "trySelect" -> select(ticket, true, List.of(receiving(0), receiving(1)));
            case "selectToSend" ->
                select(ticket, false, List.of(sending(channel, arguments.get(1)), receiving(1 - channel)));
            case "close" -> channels.get(channel).begin(ticket, "close", List.of());
            default -> throw new IllegalArgumentException(operation);
        };
        settle();
        return result;
    }

    private static Branch sending(int channel, Object item) {
        return new Branch(channel, "Send", List.of(item));
    }

    private static Branch receiving(int channel) {
        return new Branch(channel, "Receive", List.of());
    }

    private Object select(int ticket, boolean now, List<Branch> branches) {
        for (Branch branch : way() == 0 ? branches : branches.reversed()) {
            Object result = begin(ticket, "try" + branch.operation(), branch);
            if (!result.equals(false) && result != ChannelOperations.NOTHING) {
                return outcome(branch.channel(), result);
            }
        }
        if (now) {
            return ChannelOperations.NOTHING;
        }
        for (Branch branch : branches) {
            begin(ticket, branch.operation().toLowerCase(Locale.ROOT), branch);
        }
        return WAITS;
    }

    private Object begin(int ticket, String operation, Branch branch) {
        return channels.get(branch.channel()).begin(ticket, operation, branch.arguments());
    }

    private static Object outcome(int channel, Object result) {
        return result instanceof Integer item && channel == 1 ? -item : result.equals(true) ? (Object) SENT : result;
    }

    /** Completes calls that have what they want from one channel, and takes them back from the other. */
    private void settle() {
        for (int ticket = 0; ticket < THREADS; ticket++) {
            for (int channel = 0; channel < channels.size(); channel++) {
                Object result = channels.get(channel).result(ticket);
                if (result != WAITS) {
                    channels.get(channel).forget(ticket);
                    giveUp(ticket);
                    complete(ticket, outcome(channel, result));
                }
            }
        }
    }

    @Override
    void giveUp(int ticket) {
        channels.forEach(channel -> channel.giveUp(ticket));
    }

    static final class Rendezvous extends SelectModel {
        Rendezvous() {
            super(0, 0);
        }
    }

    static final class Mixed extends SelectModel {
        Mixed() {
            super(0, 1);
        }
    }

    static final class One extends SelectModel {
        One() {
            super(1, 1);
        }
    }
}
