/** Virtual time, seeded schedules and a JUnit extension for code that runs on Kumihimo. */
module dev.kumihimo.test {
    requires transitive dev.kumihimo;
    requires transitive dev.kumihimo.net;
    requires transitive org.junit.jupiter.api;
    requires jdk.management; // a dump of all virtual threads
    requires org.slf4j;
    requires static org.assertj.core;
    requires static org.jspecify;

    exports dev.kumihimo.test;
    exports dev.kumihimo.test.assertj;
    exports dev.kumihimo.test.net;

    opens dev.kumihimo.test to
            org.junit.platform.commons; // which makes the extension
}
