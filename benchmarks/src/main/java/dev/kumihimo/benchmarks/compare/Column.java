package dev.kumihimo.benchmarks.compare;

import java.util.List;
import java.util.Set;

/** One runtime of the comparison. */
public sealed interface Column {
    /** All columns, in the order in which a round runs them and the table shows them. */
    List<String> NAMES = List.of(
            "kumihimo",
            "jdk",
            "jox",
            "tokio",
            "go",
            "abq_kumihimo",
            "ltq_jdk",
            "ltq_kumihimo",
            "stpe",
            "netty_wheel",
            "netty_epoll",
            "netty_nio",
            "socat",
            "floor");

    /** Those that need nothing but a JDK, so that their absence is a failure. */
    Set<String> OWN = Set.of(
            "kumihimo", "jdk", "jox", "abq_kumihimo", "ltq_jdk", "ltq_kumihimo", "stpe", "netty_wheel", "netty_nio");

    String name();

    /**
     * A column that can be run.
     *
     * @param title the runtime and its version, for the report
     * @param command starts the column's program, to be followed by the program's arguments
     * @param warmUpShare how much of the warm-up the program needs; 1 where a compiler works at run time
     * @param sharing whether one process can run several workloads
     * @param offers the workloads the program has
     */
    record Present(
            String name, String title, List<String> command, double warmUpShare, boolean sharing, Set<String> offers)
            implements Column {}

    /**
     * A column that cannot be run here.
     *
     * @param reason one line, for the report
     */
    record Absent(String name, String reason) implements Column {}
}
