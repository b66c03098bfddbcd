package dev.kumihimo.test.matrix;

import dev.kumihimo.internal.wait.WaitQueue;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds queues of the wait room in which somebody was left. */
final class Leftovers {
    private static final Map<Class<?>, List<Field>> FIELDS = new IdentityHashMap<>();

    private Leftovers() {}

    /** {@return how many queues were looked at} Those that can be reached from the subject, through objects of the toolkit. */
    static int check(Subject subject) {
        int queues = 0;
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        ArrayDeque<Object> open = new ArrayDeque<>();
        open.add(subject);
        for (Object at; (at = open.poll()) != null; ) {
            for (Object next : neighbours(at)) {
                if (next instanceof WaitQueue queue) {
                    queues++;
                    Subject.ensure(queue.isEmpty(), "a waiter was left in a queue of " + at);
                } else if (next != null && isOurs(next) && seen.add(next)) {
                    open.add(next);
                }
            }
        }
        return queues;
    }

    private static boolean isOurs(Object o) {
        String name = o.getClass().getName();
        return o instanceof Object[]
                || o instanceof Collection
                || name.startsWith("dev.kumihimo.")
                        && !name.startsWith("dev.kumihimo.internal.carrier.")
                        && !name.startsWith("dev.kumihimo.internal.driver.")
                        && !name.startsWith("dev.kumihimo.test.Test")
                        && !name.equals("dev.kumihimo.runtime.TaskRuntime")
                        && !o.getClass().isHidden();
    }

    private static List<?> neighbours(Object at) {
        if (at instanceof Object[] array) {
            return java.util.Arrays.asList(array);
        }
        if (at instanceof Collection<?> collection) {
            return new ArrayList<>(collection);
        }
        List<Object> values = new ArrayList<>();
        for (Field field : FIELDS.computeIfAbsent(at.getClass(), Leftovers::fields)) {
            try {
                values.add(field.get(at));
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
        return values;
    }

    private static List<Field> fields(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        for (Class<?> c = type; c != null && c.getName().startsWith("dev.kumihimo."); c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (!field.getType().isPrimitive() && !Modifier.isStatic(field.getModifiers())) {
                    field.setAccessible(true);
                    fields.add(field);
                }
            }
        }
        return fields;
    }
}
