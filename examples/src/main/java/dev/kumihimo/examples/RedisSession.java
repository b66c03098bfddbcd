package dev.kumihimo.examples;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.examples.RedisStore.Key;
import dev.kumihimo.examples.RedisTopics.Message;
import dev.kumihimo.examples.RedisTopics.Subscriber;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.select.Select;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One connection to {@link MiniRedis}: answers what has come, in its order, and writes the answers at once when nothing more
 * is there. Once it has subscribed to topics it waits for requests and for messages.
 */
final class RedisSession {
    /** A message or a request; without either, the end. */
    private record Arrival(@Nullable Message message, byte @Nullable [] @Nullable [] request) {}

    private final TcpStream stream;
    private final Framed<byte[][], Reply> framed;
    private final RedisCommands commands;
    private final RedisTopics topics;
    private @Nullable Subscriber subscriber; // from its first subscription on
    private boolean ended;

    RedisSession(TcpStream stream, RedisCommands commands, RedisTopics topics) {
        this.stream = stream;
        this.framed = Framed.of(stream, new RespCodec());
        this.commands = commands;
        this.topics = topics;
    }

    /** Serves until the client leaves. */
    void serve() throws IOException, InterruptedException {
        try {
            byte[][] request = next();
            while (request != null) {
                answer(request);
                request = ended ? null : framed.tryReceiveBuffered();
                if (request == null) {
                    framed.flush();
                    request = ended ? null : next();
                }
            }
        } catch (EOFException e) {
            framed.flush(); // it has left in the middle of a request, but may still read
        } catch (RespCodec.ProtocolException e) {
            framed.send(new Reply.Failure("ERR " + e.getMessage()));
        } finally {
            if (subscriber != null) {
                subscriber.close();
            }
        }
    }

    /** Waits for a request, and passes on messages meanwhile; null at the end. */
    private byte @Nullable [] @Nullable [] next() throws IOException, InterruptedException {
        Subscriber known = subscriber;
        if (known == null || known.count() == 0) {
            return framed.receiveOrNull();
        }
        Select<Arrival> arrivals = Select.<Arrival>of()
                .onReceive(known.messages(), message -> new Arrival(message, null))
                .onReceive(framed, request -> new Arrival(null, request));
        try {
            Arrival arrival;
            while ((arrival = arrivals.await()).message != null) {
                push(known, arrival.message);
                framed.flush();
            }
            return arrival.request;
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void answer(byte[][] request) throws IOException, InterruptedException {
        try {
            RedisCommand command = RedisCommand.of(request);
            switch (command) {
                case SUBSCRIBE -> subscribe(request);
                case UNSUBSCRIBE -> unsubscribe(request);
                case QUIT -> {
                    ended = true;
                    framed.feed(Reply.OK);
                }
                default -> {
                    framed.feed(isSubscribed() ? answerSubscriber(command, request) : run(command, request));
                }
            }
        } catch (RedisError e) {
            framed.feed(e.reply());
        }
    }

    private Reply run(RedisCommand command, byte[][] request) throws RedisError {
        return command == RedisCommand.PUBLISH
                ? Reply.of(topics.publish(new Key(request[1]), request[2]))
                : commands.run(command, request);
    }

    /* ---------------- Topics -------------- */

    private boolean isSubscribed() {
        return subscriber != null && subscriber.count() > 0;
    }

    private static Reply answerSubscriber(RedisCommand command, byte[][] request) throws RedisError {
        if (command != RedisCommand.PING) {
            throw new RedisError("ERR Can't execute '" + command.lowerCase()
                    + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
        }
        if (request.length > 2) {
            throw command.wrongArguments();
        }
        return new Reply.Array(List.of(Reply.of("pong"), request.length == 1 ? Reply.of("") : Reply.of(request[1])));
    }

    private void subscribe(byte[][] request) throws IOException, InterruptedException {
        Subscriber known = subscriber;
        if (known == null) {
            subscriber = known = topics.new Subscriber(this::disconnect);
        }
        for (int i = 1; i < request.length; i++) {
            Key topic = new Key(request[i]);
            known.subscribe(topic);
            framed.feed(changed("subscribe", topic, known.count()));
        }
    }

    private void unsubscribe(byte[][] request) throws IOException, InterruptedException {
        Subscriber known = subscriber;
        if (known != null) {
            push(known, known.poll()); // what was published before comes before
        }
        List<Key> leaving = new ArrayList<>();
        for (int i = 1; i < request.length; i++) {
            leaving.add(new Key(request[i]));
        }
        if (leaving.isEmpty() && known != null) {
            leaving.addAll(known.topics());
        }
        for (Key topic : leaving) {
            if (known != null) {
                known.unsubscribe(topic);
            }
            framed.feed(changed("unsubscribe", topic, known == null ? 0 : known.count()));
        }
        if (leaving.isEmpty()) {
            framed.feed(changed("unsubscribe", null, 0));
        }
    }

    private static Reply changed(String how, @Nullable Key topic, int count) {
        Reply name = topic == null ? Reply.NIL : Reply.of(topic.bytes());
        return new Reply.Array(List.of(Reply.of(how), name, Reply.of(count)));
    }

    /** Sends messages that wait, beginning with one that has been taken. */
    private void push(Subscriber subscriber, @Nullable Message first) throws IOException, InterruptedException {
        for (Message message = first; message != null; message = subscriber.poll()) {
            Reply.Encoded push = subscriber.taken(message);
            if (push != null) {
                framed.feed(push);
            }
        }
    }

    /* ---------------- The end -------------- */

    /** Ends the session from outside: it reads too slowly. */
    private void disconnect() {
        try {
            stream.close();
        } catch (IOException e) {
            // it is closed all the same
        }
    }
}
