package dev.kumihimo.test.matrix;

import java.util.EnumSet;
import java.util.Set;

/** How the victim waits, and so which events can meet it. */
enum Style {
    /** {@code op()}. */
    PLAIN(Event.NONE, Event.ABORT, Event.INTERRUPT, Event.CLOSE, Event.SHUTDOWN),
    /** {@code op(Duration)}. */
    TIMED(Event.NONE, Event.ABORT, Event.INTERRUPT, Event.CLOSE, Event.SHUTDOWN, Event.EXPIRY),
    /** {@code op(Duration.ZERO)}: the time is over before it begins. */
    ZERO(Event.NONE),
    /** {@code token.run(op)}. */
    IN_TOKEN(Event.TOKEN),
    /** {@code Timeout.call(time, op)}. */
    IN_CALL(Event.EXPIRY),
    /** {@code Timeout.call(Duration.ZERO, op)}: the deadline has passed before it begins. */
    IN_PAST_CALL(Event.NONE);

    final Set<Event> events;

    Style(Event... events) {
        this.events = EnumSet.of(events[0], events);
    }

    /** {@return all events that can meet it, in a set of the caller's own; none if it is over before it begins} */
    Set<Event> all() {
        Set<Event> all = EnumSet.copyOf(events);
        if (!isPast()) {
            all.addAll(PLAIN.events);
        }
        all.remove(Event.NONE);
        return all;
    }

    boolean isTimed() {
        return this == TIMED || this == ZERO;
    }

    /** Whether it may time out by itself. */
    boolean isPast() {
        return this == ZERO || this == IN_PAST_CALL;
    }
}
