package dev.kumihimo.lincheck;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** A delay queue without time: items that are due, in the order in which they became so, and items that are not. */
final class DelayQueueModel extends WaitingModel {
    /** How many items there are at the beginning, none of them due, and each with a key: their values are 100, 101, .... */
    static final int KEYS = 2;

    static final int FIRST = 100;

    private final List<Integer> due;
    private final List<Integer> parked;
    private final ArrayDeque<Integer> takers;

    DelayQueueModel() {
        due = new ArrayList<>();
        parked = new ArrayList<>();
        takers = new ArrayDeque<>();
        for (int i = 0; i < KEYS; i++) {
            parked.add(FIRST + i);
        }
    }

    private DelayQueueModel(DelayQueueModel from) {
        super(from);
        due = new ArrayList<>(from.due);
        parked = new ArrayList<>(from.parked);
        takers = from.takers.clone();
    }

    @Override
    WaitingModel copy() {
        return new DelayQueueModel(this);
    }

    @Override
    Object begin(int ticket, String operation, List<Object> arguments) {
        return switch (operation) {
            case "insert" -> makeDue((Integer) arguments.get(0));
            case "hasten" -> isHeld(keyed(arguments)) && makeDue(keyed(arguments));
            case "delay" -> isHeld(keyed(arguments)) && parked.add(keyed(arguments));
            case "remove" -> isHeld(keyed(arguments)) ? (Object) keyed(arguments) : ChannelOperations.NOTHING;
            case "tryTake" -> due.isEmpty() ? ChannelOperations.NOTHING : due.remove(0);
            case "take" -> take(ticket);
            case "size" -> due.size() + parked.size();
            default -> throw new IllegalArgumentException(operation);
        };
    }

    private static Integer keyed(List<Object> arguments) {
        return FIRST + (int) arguments.get(0);
    }

    /** Takes an item out of where it is; false if it is gone. */
    private boolean isHeld(Integer item) {
        return due.remove(item) || parked.remove(item);
    }

    private boolean makeDue(Integer item) {
        due.add(item);
        Iterator<Integer> waiting = takers.iterator();
        if (waiting.hasNext()) {
            complete(waiting.next(), due.remove(0));
            waiting.remove();
        }
        return true;
    }

    private Object take(int ticket) {
        if (!due.isEmpty()) {
            return due.remove(0);
        }
        takers.add(ticket);
        return WAITS;
    }

    @Override
    void giveUp(int ticket) {
        takers.remove(ticket);
    }
}
