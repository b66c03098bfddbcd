package dev.kumihimo.test.matrix;

import java.util.function.Function;

/**
 * A row of the matrix: one waiting operation.
 *
 * @param name how reports call it
 * @param subjects makes the object of one case, which knows who will come
 */
record Row(String name, Function<State, Subject> subjects) {
    Subject subject(State state) {
        return subjects.apply(state);
    }

    @Override
    public String toString() {
        return name;
    }
}
