package dev.kumihimo.examples;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The commands of {@link MiniRedis}, with what {@code COMMAND} tells of them. */
enum RedisCommand {
    PING(-1, "fast", 0, 0, 0),
    ECHO(2, "fast", 0, 0, 0),
    QUIT(-1, "fast", 0, 0, 0),
    SELECT(2, "fast", 0, 0, 0),
    HELLO(-1, "fast", 0, 0, 0),
    COMMAND(-1, "loading", 0, 0, 0),
    CONFIG(-2, "admin", 0, 0, 0),
    GET(2, "readonly", 1, 1, 1),
    SET(-3, "write", 1, 1, 1),
    MGET(-2, "readonly", 1, -1, 1),
    MSET(-3, "write", 1, -1, 2),
    DEL(-2, "write", 1, -1, 1),
    EXISTS(-2, "readonly", 1, -1, 1),
    INCR(2, "write", 1, 1, 1),
    DECR(2, "write", 1, 1, 1),
    INCRBY(3, "write", 1, 1, 1),
    DECRBY(3, "write", 1, 1, 1),
    EXPIRE(3, "write", 1, 1, 1),
    PEXPIRE(3, "write", 1, 1, 1),
    PERSIST(2, "write", 1, 1, 1),
    TTL(2, "readonly", 1, 1, 1),
    PTTL(2, "readonly", 1, 1, 1),
    DBSIZE(1, "readonly", 0, 0, 0),
    FLUSHALL(-1, "write", 0, 0, 0),
    PUBLISH(3, "pubsub", 0, 0, 0),
    SUBSCRIBE(-2, "pubsub", 0, 0, 0),
    UNSUBSCRIBE(-1, "pubsub", 0, 0, 0);

    private static final int LONGEST_NAME = 16;

    private static final Map<String, RedisCommand> BY_NAME =
            Stream.of(values()).collect(Collectors.toMap(RedisCommand::name, Function.identity()));

    /** How many words a request has, the name among them; negative if it may have more. */
    private final int arity;

    private final Reply description;

    RedisCommand(int arity, String flag, int firstKey, int lastKey, int keyStep) {
        this.arity = arity;
        this.description = new Reply.Array(List.of(
                Reply.of(lowerCase()),
                Reply.of(arity),
                new Reply.Array(List.of(Reply.Encoded.of("+" + flag + "\r\n"))),
                Reply.of(firstKey),
                Reply.of(lastKey),
                Reply.of(keyStep)));
    }

    /** {@return what a request asks for} */
    static RedisCommand of(byte[][] request) throws RedisError {
        RedisCommand command = find(request[0]);
        if (command == null) {
            throw new RedisError("ERR unknown command '" + text(request[0]) + "', with args beginning with: "
                    + Stream.of(request)
                            .skip(1)
                            .limit(16)
                            .map(argument -> "'" + text(argument) + "' ")
                            .collect(Collectors.joining()));
        }
        if (command.arity > 0 ? request.length != command.arity : request.length < -command.arity) {
            throw command.wrongArguments();
        }
        return command;
    }

    private static @Nullable RedisCommand find(byte[] name) {
        return name.length > LONGEST_NAME ? null : BY_NAME.get(word(name));
    }

    RedisError wrongArguments() {
        return new RedisError("ERR wrong number of arguments for '" + lowerCase() + "' command");
    }

    RedisError unknownSubcommand(byte[] name) {
        return new RedisError("ERR unknown subcommand '" + text(name) + "'. Try " + name() + " HELP.");
    }

    /** {@return a word of a command, in capital letters} */
    static String word(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
    }

    /** {@return what the client has sent, in short} */
    private static String text(byte[] bytes) {
        return new String(bytes, 0, Math.min(bytes.length, 128), StandardCharsets.UTF_8);
    }

    final String lowerCase() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@return the answer to {@code COMMAND} and what follows it} */
    static Reply describe(byte[][] request) throws RedisError {
        if (request.length == 1) {
            return new Reply.Array(
                    Stream.of(values()).map(command -> command.description).toList());
        }
        switch (word(request[1])) {
            case "COUNT" -> {
                return Reply.of(values().length);
            }
            case "DOCS" -> {
                return new Reply.Array(List.of());
            }
            case "INFO" -> {
                List<Reply> found = new ArrayList<>();
                for (int i = 2; i < request.length; i++) {
                    RedisCommand command = find(request[i]);
                    found.add(command == null ? Reply.NO_ARRAY : command.description);
                }
                return new Reply.Array(found);
            }
            default -> throw COMMAND.unknownSubcommand(request[1]);
        }
    }
}
