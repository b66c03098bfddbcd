/** Virtual time, seeded schedules and a JUnit extension for code that runs on Kumihimo. */
module dev.kumihimo.test {
    requires transitive dev.kumihimo;
    requires transitive dev.kumihimo.net;
    requires transitive org.junit.jupiter.api;
    requires org.slf4j;
    requires static org.jspecify;

    exports dev.kumihimo.test;
    exports dev.kumihimo.test.net;
}
