/** Structured concurrency on virtual threads: runtime, tasks, channels, synchronization, time and select. */
module dev.kumihimo {
    requires org.jctools.core;
    requires org.slf4j;
    requires static org.jspecify;
}
