package dev.kumihimo.support;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** What the toolkit logs while this is open; it does not reach the console meanwhile. */
public final class CapturedLog extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    private final Logger logger = (Logger) LoggerFactory.getLogger("dev.kumihimo");
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();

    private CapturedLog() {}

    /** {@return a log that is being captured} */
    public static CapturedLog open() {
        CapturedLog log = new CapturedLog();
        log.start();
        log.logger.addAppender(log);
        log.logger.setAdditive(false);
        return log;
    }

    @Override
    protected void append(ILoggingEvent event) {
        event.prepareForDeferredProcessing();
        events.add(event);
    }

    /** {@return the messages of a level that contain a text} */
    public List<String> messages(Level level, String part) {
        return events.stream()
                .filter(event -> event.getLevel() == level)
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains(part))
                .toList();
    }

    /** {@return every message, with its level} */
    public List<String> all() {
        return events.stream().map(Object::toString).toList();
    }

    @Override
    public void close() {
        logger.setAdditive(true);
        logger.detachAppender(this);
        stop();
    }
}
