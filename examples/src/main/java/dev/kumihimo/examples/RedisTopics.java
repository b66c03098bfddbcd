package dev.kumihimo.examples;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.examples.RedisStore.Key;
import dev.kumihimo.select.Selectable;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Who gets what is published in {@link MiniRedis}.
 *
 * <p>A publisher never waits: each subscriber has a queue of its own. One whose queue is full reads too slowly and is
 * disconnected, as Redis does it, so that it neither holds up others nor eats their memory.
 */
final class RedisTopics {
    private final ConcurrentHashMap<Key, Set<Subscriber>> topics = new ConcurrentHashMap<>();

    /** A message, encoded once for all who get it. */
    record Message(Key topic, Reply.Encoded push) {
        static Message of(Key topic, byte[] text) {
            byte[] name = topic.bytes();
            byte[] head = ("*3\r\n$7\r\nmessage\r\n$" + name.length + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
            byte[] middle = ("\r\n$" + text.length + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
            byte[] end = {'\r', '\n'};
            byte[] all = new byte[head.length + name.length + middle.length + text.length + end.length];
            int at = 0;
            for (byte[] piece : List.of(head, name, middle, text, end)) {
                System.arraycopy(piece, 0, all, at, piece.length);
                at += piece.length;
            }
            return new Message(topic, new Reply.Encoded(all));
        }

        int size() {
            return push.bytes().length;
        }
    }

    /** A session that has subscribed to topics. Only the session itself calls it, except for {@link #offer}. */
    final class Subscriber implements AutoCloseable {
        static final int MAX_MESSAGES = 8192;
        static final int MAX_BYTES = 32 << 20;

        private final Set<Key> subscribed = new LinkedHashSet<>();
        private final Channel<Message> queue = Channel.bounded(MAX_MESSAGES);
        private final AtomicLong bytes = new AtomicLong();
        private final Runnable disconnect;
        private volatile boolean tooSlow; // and gets no more, though its session may not have ended yet

        /** Disconnecting is called by publishers, perhaps several times, and must not wait. */
        Subscriber(Runnable disconnect) {
            this.disconnect = disconnect;
        }

        /** {@return to how many topics it is subscribed} */
        int count() {
            return subscribed.size();
        }

        void subscribe(Key topic) {
            if (subscribed.add(topic)) {
                topics.compute(topic, (key, there) -> {
                    Set<Subscriber> subscribers = there == null ? ConcurrentHashMap.newKeySet() : there;
                    subscribers.add(this);
                    return subscribers;
                });
            }
        }

        void unsubscribe(Key topic) {
            if (subscribed.remove(topic)) {
                forget(topic);
            }
        }

        /** {@return the topics it is subscribed to, in the order of its subscriptions} */
        Set<Key> topics() {
            return subscribed;
        }

        private void forget(Key topic) {
            topics.computeIfPresent(topic, (key, subscribers) -> {
                subscribers.remove(this);
                return subscribers.isEmpty() ? null : subscribers;
            });
        }

        /** {@return what to select on for messages} Each is to be passed to {@link #taken}. */
        Selectable<Message> messages() {
            return queue;
        }

        /** {@return the next message, or null if there is none} */
        @Nullable
        Message poll() {
            return queue.tryReceive();
        }

        /** Makes room for others, and returns what is to be sent: null if a message of a topic it has left came late. */
        Reply.@Nullable Encoded taken(Message message) {
            bytes.addAndGet(-message.size());
            return subscribed.contains(message.topic) ? message.push : null;
        }

        private boolean offer(Message message) {
            if (tooSlow) {
                return false;
            }
            int size = message.size();
            if (bytes.addAndGet(size) <= MAX_BYTES && queue.trySend(message)) {
                return true;
            }
            bytes.addAndGet(-size);
            tooSlow = true;
            disconnect.run();
            return false;
        }

        /** Ends all subscriptions. */
        @Override
        public void close() {
            subscribed.forEach(this::forget);
            subscribed.clear();
        }
    }

    /** Sends a text to all who are subscribed, and returns how many these are. Never waits. */
    int publish(Key topic, byte[] text) {
        Set<Subscriber> subscribers = topics.get(topic);
        if (subscribers == null) {
            return 0;
        }
        Message message = Message.of(topic, text);
        int count = 0;
        for (Subscriber subscriber : subscribers) {
            if (subscriber.offer(message)) {
                count++;
            }
        }
        return count;
    }

    /** {@return how many topics somebody is subscribed to} */
    int size() {
        return topics.size();
    }
}
