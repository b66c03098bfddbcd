package dev.kumihimo.test.net;

import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.SpinLock;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.test.Rng;
import java.io.IOException;
import java.net.BindException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A network in memory, whose hosts are names, and whose faults a seed determines.
 *
 * <pre>{@code
 * test.run(() -> {
 *     SimNet net = SimNet.of(rng);
 *     net.all().latencyExponential(Duration.ofMillis(5)).fragments(7);
 *     SimListener listener = net.listen("server", 80);
 *     Task.spawn(() -> TcpServer.serve(listener, stream -> echo(stream)));
 *     try (SimStream stream = net.connect("client", "server", 80)) {
 *         net.link("client", "server").partition();
 *         assertThatThrownBy(() -> ask(stream, Duration.ofSeconds(3))).isInstanceOf(SocketTimeoutException.class);
 *         net.link("client", "server").repair();
 *         ask(stream, Duration.ofSeconds(3));
 *     }
 *     listener.close();
 * });
 * }</pre>
 *
 * <p>{@link SimListener} and {@link SimStream} are what {@code TcpListener} and {@code TcpStream} are on a real network, so that
 * {@code TcpServer}, {@code Framed} and TLS work over them. Unless {@linkplain #all() told otherwise} the network is perfect:
 * nothing takes time, and nothing gets lost. A host exists as soon as it is named, and can be reached by all others.
 *
 * <p><b>Time</b> is that of the runtime of whoever connects first: virtual time in a {@code TestRuntime}, else real time. Nobody
 * delivers: what is sent has a time at which it arrives, until which who waits for it waits. So there are neither tasks nor
 * timers of the network; and a net that nobody waits for is at rest. Who waits has to live on the clock of the net, or gets an
 * {@link IllegalStateException}; the rest may be done by any thread.
 *
 * <p><b>Seeds.</b> All that is drawn comes from the {@link Rng} that the net was made of, and for each connection from a source
 * of its own, that only the addresses of both ends determine otherwise. Where the schedule is the same, all happens at the same
 * time, to the nanosecond, on every JDK and machine.
 *
 * <p><b>What it leaves out.</b> Acknowledgements take no time, so that a small window does not limit the throughput of a slow
 * link. A connection whose peer does not answer is kept for ever. There are no datagrams.
 *
 * @since 0.1
 */
public final class SimNet {
    /** The most that a latency may be. */
    static final Duration LONGEST = Duration.ofDays(365);

    private static final int FIRST_FREE_PORT = 49_152;
    private static final int LAST_PORT = 65_535;
    private static final int BACKLOG = 4_096;

    /** From a host to another. */
    record Way(String from, String to) {
        Way back() {
            return new Way(to, from);
        }
    }

    /** What becomes of the conditions of a way. */
    interface Change {
        Conditions of(Conditions before);
    }

    private static final class Lock extends SpinLock {}

    private static final class Host {
        int nextPort = FIRST_FREE_PORT;
        boolean down;
    }

    private final long seed;
    private final SpinLock lock = new Lock();

    // Guarded by the lock.
    private final Map<String, Host> hosts = new HashMap<>();
    private final Map<HostPort, SimListener> listeners = new LinkedHashMap<>();
    private final Set<Connection> connections = new LinkedHashSet<>();
    private final Map<Way, Conditions> conditions = new HashMap<>();
    private Conditions ideal = Conditions.IDEAL;

    private volatile boolean bound; // to a clock
    private volatile @Nullable VirtualTimers clock; // null if it is the real one

    private SimNet(long seed) {
        this.seed = seed;
    }

    /**
     * {@return a network without hosts}
     *
     * @param rng what all it draws comes from; one number is taken
     */
    public static SimNet of(Rng rng) {
        return new SimNet(rng.nextLong());
    }

    /* ---------------- Listening and connecting -------------- */

    /**
     * Listens at a port of a host, with a backlog of 4096.
     *
     * @param host its name
     * @param port 1 to 65535, or 0 for any free one
     * @return the listener
     * @throws BindException if somebody listens there
     * @throws IllegalArgumentException if the port is out of range, or the name empty
     */
    public SimListener listen(String host, int port) throws BindException {
        return listen(host, port, BACKLOG);
    }

    /**
     * Listens at a port of a host.
     *
     * @param host its name
     * @param port 1 to 65535, or 0 for any free one
     * @param backlog how many connections may wait to be accepted, at least 1
     * @return the listener
     * @throws BindException if somebody listens there
     * @throws IllegalArgumentException if the port or backlog is out of range, or the name empty
     */
    public SimListener listen(String host, int port, int backlog) throws BindException {
        checkHost("host", host);
        checkPort(port, 0);
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog=" + backlog + " must be at least 1");
        }
        SimListener listener = null;
        lock.lock();
        try {
            HostPort address = new HostPort(host, port == 0 ? freePort(host) : port);
            if (!listeners.containsKey(address)) {
                listener = new SimListener(this, address, backlog);
                listeners.put(address, listener);
            }
        } finally {
            lock.unlock();
        }
        if (listener == null) {
            throw new BindException("cannot listen on " + host + ":" + port + ": Address already in use");
        }
        return listener;
    }

    /**
     * Connects to a port of a host, waiting for as long as the system tries, which is 127 s.
     *
     * @param from the name of the host that connects
     * @param to the name of the host to connect to
     * @param port 1 to 65535
     * @return the connection
     * @throws java.net.ConnectException "Connection refused" if nobody listens there, or "Connection timed out" if no answer comes
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing is left of it
     * @throws IllegalArgumentException if the port is out of range, or a name empty
     * @throws IllegalStateException if the net lives on another clock than the caller
     * @throws IOException as said above
     */
    public SimStream connect(String from, String to, int port) throws IOException {
        return connectBefore(from, to, port, Deadlines.NEVER);
    }

    /**
     * Connects to a port of a host, waiting at most a given time, see {@link #connect(String, String, int)}.
     *
     * @param from the name of the host that connects
     * @param to the name of the host to connect to
     * @param port 1 to 65535
     * @param timeout the longest wait; zero or negative does not wait
     * @return the connection
     * @throws java.net.SocketTimeoutException if it took longer; nothing is left of it, and the interrupt flag is left alone
     * @throws java.net.ConnectException as in {@link #connect(String, String, int)}
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing is left of it
     * @throws IllegalArgumentException if the port is out of range, or a name empty
     * @throws IllegalStateException if the net lives on another clock than the caller
     * @throws IOException as said above
     */
    public SimStream connect(String from, String to, int port, Duration timeout) throws IOException {
        return connectBefore(from, to, port, Deadlines.of(timeout));
    }

    private SimStream connectBefore(String from, String to, int port, long deadline) throws IOException {
        checkHost("from", from);
        checkHost("to", to);
        checkPort(port, 1);
        bindToClock();
        checkClock();
        Deadlines.spend();
        HostPort there = new HostPort(to, port);
        HostPort here = new HostPort(from, anyPort(from));
        long own = 31L * here.hashCode() + there.hashCode(); // of strings and numbers: the same everywhere
        Connection connection = new Connection(this, here, there, Rng.of(seed + own * 0x9e3779b97f4a7c15L));
        register(connection);
        return new Handshake(connection, deadline).shake();
    }

    private int anyPort(String host) {
        lock.lock();
        try {
            return freePort(host);
        } finally {
            lock.unlock();
        }
    }

    private void register(Connection connection) {
        WakeList woken = new WakeList();
        lock.lock();
        try {
            connections.add(connection);
            adapt(connection, woken);
        } finally {
            lock.unlock();
        }
        woken.wakeAll();
    }

    /** Tells a connection what its ways are like. Under the lock. */
    private void adapt(Connection connection, WakeList woken) {
        Way there = connection.way();
        Conditions forth = between(there);
        Conditions back = between(there.back());
        connection.runWithin((now, list) -> connection.conditions(forth, back, now, list), woken);
    }

    private Host host(String name) {
        Host host = hosts.get(name);
        if (host == null) {
            host = new Host();
            hosts.put(name, host);
        }
        return host;
    }

    private int freePort(String name) {
        Host host = host(name);
        int port = host.nextPort;
        while (listeners.containsKey(new HostPort(name, port))) {
            port = port == LAST_PORT ? FIRST_FREE_PORT : port + 1;
        }
        host.nextPort = port == LAST_PORT ? FIRST_FREE_PORT : port + 1;
        return port;
    }

    private static void checkHost(String argument, String name) {
        if (name.isBlank()) {
            throw new IllegalArgumentException(argument + "=\"" + name + "\" must be a name");
        }
    }

    private static void checkPort(int port, int least) {
        if (port < least || port > LAST_PORT) {
            throw new IllegalArgumentException("port=" + port + " must be from " + least + " to " + LAST_PORT);
        }
    }

    @Nullable
    SimListener listenerAt(HostPort address) {
        lock.lock();
        try {
            return listeners.get(address);
        } finally {
            lock.unlock();
        }
    }

    boolean isDown(String host) {
        lock.lock();
        try {
            return host(host).down;
        } finally {
            lock.unlock();
        }
    }

    void forget(SimListener listener) {
        lock.lock();
        try {
            listeners.remove(listener.local(), listener);
        } finally {
            lock.unlock();
        }
    }

    void forgetIfClosed(Connection connection) {
        if (!connection.client.isOpen() && !connection.server.isOpen()) {
            lock.lock();
            try {
                connections.remove(connection);
            } finally {
                lock.unlock();
            }
        }
    }

    /* ---------------- What it is like, and what goes wrong -------------- */

    /** {@return the links between all hosts, those that are named later included} */
    public SimLink all() {
        return new SimLink(this, null, null, true);
    }

    /**
     * {@return the link between two hosts, in both directions}
     *
     * @param one the name of one
     * @param other the name of the other; may be the same
     * @throws IllegalArgumentException if a name is empty
     */
    public SimLink link(String one, String other) {
        checkHost("one", one);
        checkHost("other", other);
        return new SimLink(this, one, other, true);
    }

    /**
     * {@return the link between two hosts in one direction}
     *
     * @param from the name of the host that sends
     * @param to the name of the host that receives
     * @throws IllegalArgumentException if a name is empty
     */
    public SimLink oneWay(String from, String to) {
        checkHost("from", from);
        checkHost("to", to);
        return new SimLink(this, from, to, false);
    }

    /**
     * Has a host crash: all its connections {@linkplain SimStream#vanish vanish}, its listeners are closed without a word to who
     * waits to be accepted, and who connects to it gets no answer until {@link #restart}.
     *
     * @param host its name
     * @throws IllegalArgumentException if the name is empty
     */
    public void crash(String host) {
        checkHost("host", host);
        WakeList woken = new WakeList();
        List<SimListener> lost = new ArrayList<>();
        lock.lock();
        try {
            host(host).down = true;
            for (SimListener listener : listeners.values()) {
                if (listener.local().host().equals(host)) {
                    lost.add(listener);
                }
            }
            listeners.values().removeAll(lost);
            atEnds(host, End::vanish, woken);
        } finally {
            lock.unlock();
        }
        woken.wakeAll();
        lost.forEach(SimListener::end);
    }

    /**
     * Has a host that has {@linkplain #crash crashed} come back, with nothing left: who connects is refused until it listens
     * again, and who writes to a connection from before is reset, as is who has written meanwhile, 200 ms later.
     *
     * @param host its name
     * @throws IllegalArgumentException if the name is empty
     */
    public void restart(String host) {
        checkHost("host", host);
        WakeList woken = new WakeList();
        lock.lock();
        try {
            host(host).down = false;
            atEnds(host, End::returned, woken);
        } finally {
            lock.unlock();
        }
        woken.wakeAll();
    }

    /** What befalls an end. */
    private interface Blow {
        void strike(End end, long now, WakeList woken);
    }

    private void atEnds(String host, Blow blow, WakeList woken) {
        for (Connection connection : connections) {
            for (End end : List.of(connection.client, connection.server)) {
                if (end.local.host().equals(host)) {
                    connection.runWithin((now, list) -> blow.strike(end, now, list), woken);
                }
            }
        }
    }

    private Conditions between(Way way) {
        return conditions.getOrDefault(way, ideal);
    }

    void change(SimLink link, Change change) {
        WakeList woken = new WakeList();
        lock.lock();
        try {
            String from = link.from();
            String to = link.to();
            if (from == null || to == null) {
                ideal = change.of(ideal);
            } else {
                conditions.putIfAbsent(new Way(from, to), ideal);
                conditions.putIfAbsent(new Way(to, from), ideal);
            }
            conditions.replaceAll((way, before) -> link.covers(way) ? change.of(before) : before);
            for (Connection connection : connections) {
                adapt(connection, woken);
            }
        } finally {
            lock.unlock();
        }
        woken.wakeAll();
    }

    void reset(SimLink link) {
        for (Connection connection : connections()) {
            Way way = connection.way();
            if (link.covers(way) || link.covers(way.back())) {
                connection.client.stream.reset();
            }
        }
    }

    /* ---------------- Time -------------- */

    private static @Nullable VirtualTimers callersClock() {
        Waiter task = Waiter.currentTask();
        TimerService timers = null;
        if (task != null) {
            timers = task.timers();
        } else if (Thread.currentThread().isVirtual()) {
            timers = Waiter.current().timers(); // those of its carrier's runtime
        }
        return timers instanceof VirtualTimers virtual ? virtual : null;
    }

    private void bindToClock() {
        if (!bound) {
            VirtualTimers callers = callersClock();
            lock.lock();
            try {
                if (!bound) {
                    clock = callers;
                    bound = true;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /** To be called before a wait. */
    void checkClock() {
        if (bound && callersClock() != clock) {
            throw new IllegalStateException(
                    "this net lives in " + (clock == null ? "real time" : "the time of a test runtime")
                            + ", that of who connected first, and " + Thread.currentThread() + " does not");
        }
    }

    long now() {
        VirtualTimers virtual = clock;
        return virtual == null ? TimerService.realNanoTime() : virtual.nanoTime();
    }

    /* ---------------- What is there -------------- */

    /** {@return what is open, each as its {@code toString()} names it: listeners, then streams, in the order of their making} */
    public List<String> open() {
        List<String> open = new ArrayList<>();
        for (SimListener listener : listeners()) {
            open.add(listener.toString());
        }
        for (Connection connection : connections()) {
            for (End end : List.of(connection.client, connection.server)) {
                if (end.isOpen()) {
                    open.add(end.toString());
                }
            }
        }
        return open;
    }

    private List<SimListener> listeners() {
        lock.lock();
        try {
            return new ArrayList<>(listeners.values());
        } finally {
            lock.unlock();
        }
    }

    private List<Connection> connections() {
        lock.lock();
        try {
            return new ArrayList<>(connections);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return "SimNet[" + open().size() + " open]";
    }
}
