package dev.kumihimo.test.net;

import java.net.InetSocketAddress;

/** An address of a {@link SimNet}. */
record HostPort(String host, int port) {
    InetSocketAddress address() {
        return InetSocketAddress.createUnresolved(host, port);
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
