/** Structured concurrency on virtual threads: tasks and what they share, time, and what a service needs of its system. */
module dev.kumihimo {
    requires org.jctools.core;
    requires org.slf4j;
    requires static context.propagation;
    requires static jdk.unsupported; // signals; without it a shutdown hook stands in
    requires static org.jspecify;

    exports dev.kumihimo.channel;
    exports dev.kumihimo.fs;
    exports dev.kumihimo.process;
    exports dev.kumihimo.runtime;
    exports dev.kumihimo.select;
    exports dev.kumihimo.signal;
    exports dev.kumihimo.sync;
    exports dev.kumihimo.task;
    exports dev.kumihimo.time;
    exports dev.kumihimo.internal.carrier to
            dev.kumihimo.test;
    exports dev.kumihimo.internal.driver to
            dev.kumihimo.net,
            dev.kumihimo.test;
    exports dev.kumihimo.internal.jdk to
            dev.kumihimo.test;
    exports dev.kumihimo.internal.wait to
            dev.kumihimo.net,
            dev.kumihimo.test;
}
