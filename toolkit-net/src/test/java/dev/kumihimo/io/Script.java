package dev.kumihimo.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/** A source that gives what it was told to, piece by piece, and counts how it was asked. */
final class Script extends SourceView {
    private final Deque<Object> steps = new ArrayDeque<>();
    int reads;
    int largestRoom;
    boolean closed;

    /** Gives a text in one piece, or throws an exception; without steps it is at its end. */
    Script then(Object textOrException) {
        steps.add(textOrException instanceof String text ? bytes(text) : textOrException);
        return this;
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    int readBefore(ByteBuffer target, long deadline) throws IOException {
        reads++;
        largestRoom = Math.max(largestRoom, target.remaining());
        Object step = steps.peek();
        if (step == null) {
            return -1;
        }
        if (step instanceof IOException e) {
            steps.remove();
            throw e;
        }
        ByteBuffer piece = (ByteBuffer) step;
        int count = Math.min(piece.remaining(), target.remaining());
        target.put(piece.slice().limit(count));
        piece.position(piece.position() + count);
        if (!piece.hasRemaining()) {
            steps.remove();
        }
        return count;
    }

    @Override
    public dev.kumihimo.select.Selectable<Void> readable() {
        return Ready.NOW;
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() {
        closed = true;
    }
}
