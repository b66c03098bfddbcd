package dev.kumihimo.runtime;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** See {@link ContextPropagation#mdc()}. */
final class MdcContext implements ContextPropagation {
    static final MdcContext INSTANCE = new MdcContext();

    private MdcContext() {}

    @Override
    public Snapshot capture() {
        Map<String, String> captured = MDC.getCopyOfContextMap();
        return () -> {
            Map<String, String> before = MDC.getCopyOfContextMap();
            set(captured);
            return () -> set(before);
        };
    }

    private static void set(@Nullable Map<String, String> context) {
        if (context == null) { // as it is where there never was any
            MDC.clear();
        } else {
            MDC.setContextMap(context);
        }
    }
}
