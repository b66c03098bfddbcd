package dev.kumihimo.examples;

import dev.kumihimo.examples.RedisStore.Key;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** What the commands of {@link MiniRedis} do that concern its keys, or nothing but their arguments. None of them waits. */
final class RedisCommands {
    private static final int MAX_REPLY = 256 << 20;

    /** What {@code redis-benchmark} asks for, and what is true. */
    private static final Map<String, String> CONFIGURATION =
            new TreeMap<>(Map.of("appendonly", "no", "databases", "1", "maxmemory", "0", "save", ""));

    private final RedisStore store;

    RedisCommands(RedisStore store) {
        this.store = store;
    }

    /** {@return the answer to a request} */
    Reply run(RedisCommand command, byte[][] request) throws RedisError {
        return switch (command) {
            case GET -> Reply.of(store.get(key(request)));
            case SET -> set(request);
            case PING -> ping(request);
            case ECHO -> new Reply.Bulk(request[1]);
            case SELECT -> select(request);
            case HELLO -> hello(request);
            case COMMAND -> RedisCommand.describe(request);
            case CONFIG -> config(request);
            case MGET -> getMany(request);
            case MSET -> setMany(request);
            case DEL, EXISTS -> count(command, request);
            case INCR -> Reply.of(store.add(key(request), 1));
            case DECR -> Reply.of(store.add(key(request), -1));
            case INCRBY -> Reply.of(store.add(key(request), RedisNumbers.parse(request[2])));
            case DECRBY -> Reply.of(store.add(key(request), negative(RedisNumbers.parse(request[2]))));
            case EXPIRE, PEXPIRE -> expire(command, request);
            case PERSIST -> Reply.of(store.expireIn(key(request), null) ? 1 : 0);
            case TTL -> timeToLive(request, 1000);
            case PTTL -> timeToLive(request, 1);
            case DBSIZE -> Reply.of(store.size());
            case FLUSHALL -> flush(request);
            case QUIT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE ->
                throw new IllegalArgumentException(command + " is a session's");
        };
    }

    private static Key key(byte[][] request) {
        return new Key(request[1]);
    }

    /* ---------------- Connections -------------- */

    private static Reply ping(byte[][] request) throws RedisError {
        if (request.length > 2) {
            throw RedisCommand.PING.wrongArguments();
        }
        return request.length == 1 ? Reply.PONG : new Reply.Bulk(request[1]);
    }

    private static Reply select(byte[][] request) throws RedisError {
        long index = RedisNumbers.parse(request[1]);
        if (index != (int) index) {
            throw new RedisError("ERR value is out of range, value must between -2147483648 and 2147483647");
        }
        if (index != 0) {
            throw new RedisError("ERR DB index is out of range");
        }
        return Reply.OK;
    }

    private static Reply hello(byte[][] request) throws RedisError {
        if (request.length > 1 && !RedisCommand.word(request[1]).equals("2")) {
            throw new RedisError("NOPROTO unsupported protocol version");
        }
        if (request.length > 2) {
            throw RedisError.syntax();
        }
        return new Reply.Array(List.of(
                Reply.of("server"),
                Reply.of("redis"),
                Reply.of("version"),
                Reply.of("6.0.0"),
                Reply.of("proto"),
                Reply.of(2),
                Reply.of("mode"),
                Reply.of("standalone"),
                Reply.of("role"),
                Reply.of("master"),
                Reply.of("modules"),
                new Reply.Array(List.of())));
    }

    private static Reply config(byte[][] request) throws RedisError {
        if (!RedisCommand.word(request[1]).equals("GET")) {
            throw RedisCommand.CONFIG.unknownSubcommand(request[1]);
        }
        if (request.length < 3) {
            throw new RedisError("ERR wrong number of arguments for 'config|get' command");
        }
        List<Reply> found = new ArrayList<>();
        CONFIGURATION.forEach((name, value) -> {
            for (int i = 2; i < request.length; i++) {
                if (matches(name, request[i])) {
                    found.add(Reply.of(name));
                    found.add(Reply.of(value));
                    break;
                }
            }
        });
        return new Reply.Array(found);
    }

    /** Whether a name matches a pattern in which a star stands for anything and a question mark for one character. */
    private static boolean matches(String name, byte[] glob) {
        if (glob.length > 64) {
            return false;
        }
        String pattern = Pattern.quote(new String(glob, StandardCharsets.ISO_8859_1))
                .replaceAll("\\*+", "\\\\E.*\\\\Q")
                .replace("?", "\\E.\\Q");
        return Pattern.compile(pattern, Pattern.CASE_INSENSITIVE).matcher(name).matches();
    }

    /* ---------------- Values -------------- */

    private Reply set(byte[][] request) throws RedisError {
        Key key = key(request);
        if (request.length == 3) {
            store.set(key, request[2]);
            return Reply.OK;
        }
        SetOptions options = SetOptions.parse(request);
        RedisStore.Outcome outcome =
                store.set(key, request[2], options.condition(), options.timeToLive(), options.keepTimeToLive());
        if (options.get()) {
            return Reply.of(outcome.before());
        }
        return outcome.done() ? Reply.OK : Reply.NIL;
    }

    private Reply getMany(byte[][] request) throws RedisError {
        List<Reply> values = new ArrayList<>(request.length - 1);
        long size = 0;
        for (int i = 1; i < request.length; i++) {
            byte[] value = store.get(new Key(request[i]));
            size += value == null ? 0 : value.length;
            if (size > MAX_REPLY) {
                throw new RedisError("ERR reply longer than " + MAX_REPLY + " bytes");
            }
            values.add(Reply.of(value));
        }
        return new Reply.Array(values);
    }

    /** One after the other: who reads meanwhile may see some of them. */
    private Reply setMany(byte[][] request) throws RedisError {
        if (request.length % 2 == 0) {
            throw RedisCommand.MSET.wrongArguments();
        }
        for (int i = 1; i < request.length; i += 2) {
            store.set(new Key(request[i]), request[i + 1]);
        }
        return Reply.OK;
    }

    private Reply count(RedisCommand command, byte[][] request) {
        int count = 0;
        for (int i = 1; i < request.length; i++) {
            Key key = new Key(request[i]);
            if (command == RedisCommand.DEL ? store.delete(key) : store.get(key) != null) {
                count++;
            }
        }
        return Reply.of(count);
    }

    private static long negative(long amount) throws RedisError {
        if (amount == Long.MIN_VALUE) {
            throw new RedisError("ERR decrement would overflow");
        }
        return -amount;
    }

    private Reply flush(byte[][] request) throws RedisError {
        if (request.length > 2
                || (request.length == 2
                        && !RedisCommand.word(request[1]).equals("SYNC")
                        && !RedisCommand.word(request[1]).equals("ASYNC"))) {
            throw RedisError.syntax();
        }
        store.clear();
        return Reply.OK;
    }

    /* ---------------- Times to live -------------- */

    private Reply expire(RedisCommand command, byte[][] request) throws RedisError {
        Duration time = RedisNumbers.time(command, request[2], command == RedisCommand.EXPIRE);
        return Reply.of(store.expireIn(key(request), time) ? 1 : 0);
    }

    /** The answer in units of so many milliseconds, rounded; -1 if it lives for ever, -2 if it is not there. */
    private Reply timeToLive(byte[][] request, int unit) {
        Duration left = store.timeToLive(key(request));
        if (left == null) {
            return Reply.of(-1);
        }
        return Reply.of(left.isNegative() ? -2 : (left.toMillis() + unit / 2) / unit);
    }
}
