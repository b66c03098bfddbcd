package dev.kumihimo.examples;

/** A command that cannot be done. Its message is the reply, which begins with the kind of error. */
final class RedisError extends Exception {
    private static final long serialVersionUID = 1;

    RedisError(String message) {
        super(message, null, false, false); // an answer to a client, so where it comes from matters to nobody
    }

    static RedisError syntax() {
        return new RedisError("ERR syntax error");
    }

    static RedisError noInteger() {
        return new RedisError("ERR value is not an integer or out of range");
    }

    Reply reply() {
        return new Reply.Failure(getMessage());
    }
}
