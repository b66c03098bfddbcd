/** Sockets, byte streams, codecs and TLS on the Kumihimo runtime. */
module dev.kumihimo.net {
    requires transitive dev.kumihimo;
    requires org.slf4j;
    requires static jdk.net;
    requires static org.jspecify;

    exports dev.kumihimo.codec;
    exports dev.kumihimo.io;
    exports dev.kumihimo.net;
    exports dev.kumihimo.tls;
    exports dev.kumihimo.internal.stream to
            dev.kumihimo.test;
}
