package dev.kumihimo.signal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.ChildJvm;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real signals to real JVMs, and their exit codes. */
@Timeout(120)
class SignalledJvmTest {
    /** No more modules than the toolkit and what it logs with need: jdk.unsupported is not among them. */
    private static final String WITHOUT_SIGNALS = "--limit-modules=java.base,java.logging,java.xml,java.naming";

    private static ChildJvm service(List<String> options, String... arguments) throws Exception {
        ChildJvm child = ChildJvm.start(options, Serving.class, arguments);
        try {
            child.untilPrinted("ready");
        } catch (Throwable e) {
            child.close();
            throw e;
        }
        return child;
    }

    /** The sentinel has its own to say about a machine that is busy. */
    private static List<String> warnings(ChildJvm child) {
        return child.lines(" d.k.signal.").stream()
                .filter(line -> line.contains(" WARN "))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"TERM", "INT"})
    void aServiceThatDrains_endsInOrder_with0(String signal) throws Exception {
        try (ChildJvm child = service(List.of(), "60")) {
            child.signal(signal);
            assertThat(child.exitCode()).as("%s", child.lines()).isZero();
            assertThat(child.lines("SERVICE")) // the task ends for the token, which is cancelled after the closing
                    .containsExactly(
                            "SERVICE ready", "SERVICE closed", "SERVICE drained", "SERVICE signal SIG" + signal);
            assertThat(warnings(child)).isEmpty();
        }
    }

    @Test
    void whatDoesNotEndInTime_isAborted_andToldByName_with1() throws Exception {
        try (ChildJvm child = service(List.of(), "0.05", "stubborn", "shielded")) {
            child.signal("TERM");
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(1);
            assertThat(child.lines("the service aborts"))
                    .singleElement()
                    .asString()
                    .contains("WARN", "within PT0.05S: ", "task \"stubborn\"", "task \"shielded\"");
            assertThat(child.lines("what the service aborted"))
                    .singleElement()
                    .asString()
                    .contains("WARN", "within PT0.2S: ", "task \"shielded\"");
        }
    }

    @ParameterizedTest
    @CsvSource({"TERM, INT, 130", "INT, TERM, 143"})
    void aSecondSignal_endsTheProcessAtOnce(String first, String second, int exitCode) throws Exception {
        try (ChildJvm child = service(List.of(), "3600", "stubborn")) {
            child.signal(first);
            child.untilPrinted("SERVICE drained");
            child.signal(second);
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(exitCode);
            assertThat(child.lines("SERVICE hook")).as("it is halted").isEmpty();
        }
    }

    @Test
    void withoutTheModuleOfSignals_aShutdownHookStandsIn_andTheExitCodeIsTheSignals() throws Exception {
        try (ChildJvm child = service(List.of(WITHOUT_SIGNALS), "60")) {
            child.signal("TERM");
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(143);
            assertThat(child.lines("SERVICE")).contains("SERVICE closed", "SERVICE drained");
            assertThat(warnings(child))
                    .singleElement()
                    .asString()
                    .contains("jdk.unsupported", "SIGINT, SIGTERM and SIGHUP", "shutdown hook");
        }
        try (ChildJvm child = ChildJvm.start(List.of(WITHOUT_SIGNALS), Reloading.class)) {
            child.untilPrinted("ready");
            child.signal("INT"); // whichever it is: both listeners are told, and waited for
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(130);
            assertThat(child.lines())
                    .contains(
                            "SIGUSR1 cannot be listened for: without the module jdk.unsupported a JVM has none but INT,"
                                    + " TERM and HUP",
                            "told to end");
            assertThat(warnings(child)).as("none but that of the hook").hasSize(1);
        }
    }

    @Test
    void withReducedSignals_onlyAnExitIsHeard_andThatIsSaid() throws Exception {
        try (ChildJvm child = service(List.of("-Xrs"), "60", "exit")) {
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(3);
            assertThat(child.lines("SERVICE")).contains("SERVICE closed", "SERVICE drained");
            assertThat(warnings(child)).singleElement().asString().contains("-Xrs", "System.exit");
        }
        try (ChildJvm child = service(List.of("-Xrs"), "60")) {
            child.signal("TERM");
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(143);
            assertThat(child.lines("SERVICE")).containsExactly("SERVICE ready");
        }
    }

    /** What the children above run: drain seconds, then what else there is. */
    static final class Serving {
        public static void main(String[] args) throws Exception {
            List<String> what = List.of(args);
            Duration drain = Duration.ofMillis((long) (1000 * Double.parseDouble(args[0])));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                if (what.contains("stubborn")) {
                    System.out.println("SERVICE hook");
                }
            }));
            Service.Report report = Service.builder()
                    .drainTimeout(drain)
                    .abortTimeout(Duration.ofMillis(200))
                    .run(service -> {
                        service.closeFirst(() -> System.out.println("SERVICE closed"));
                        service.spawn(() -> {
                            service.token().awaitCancelled();
                            System.out.println("SERVICE drained");
                        });
                        if (what.contains("stubborn")) {
                            service.spawnNamed("stubborn", () -> Task.sleep(Duration.ofDays(1)));
                        }
                        if (what.contains("shielded")) {
                            service.spawnNamed("shielded", () -> Task.shield(() -> Task.sleep(Duration.ofDays(1))));
                        }
                        System.out.println("SERVICE ready");
                        if (what.contains("exit")) {
                            service.spawnBlocking(() -> new Thread(() -> System.exit(3)).start());
                        }
                        Task.sleep(Duration.ofDays(1)); // ended by the token
                    });
            System.out.println("SERVICE signal " + report.signal());
            System.exit(report.exitCode());
        }
    }

    @Test
    void aReloadLoop_isToldOfEachHangup_andATerminationAfterTheCloseEndsTheProcess() throws Exception {
        try (ChildJvm child = ChildJvm.start(List.of(), Reloading.class)) {
            child.untilPrinted("ready");
            for (int i = 1; i <= 3; i++) {
                child.signal("HUP");
                child.untilPrinted("reloaded " + i);
            }
            child.signal("TERM");
            child.untilPrinted("closed");
            child.signal("TERM");
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(143);
        }
    }

    @Test
    void aSignalThatTheProcessWasStartedToIgnore_staysIgnored_andOneThatNobodyListensForAnyMoreEndsIt()
            throws Exception {
        try (ChildJvm child = ChildJvm.startIgnoring("TERM", Reloading.class)) {
            child.untilPrinted("ready");
            child.signal("TERM");
            child.signal("HUP");
            child.untilPrinted("reloaded 1");
            assertThat(warnings(child)).singleElement().asString().contains("SIGTERM is ignored by this process");
            assertThat(child.lines("closed")).isEmpty();
            child.signal("USR1"); // whose last listener has closed: the system's default is back
            assertThat(child.exitCode()).as("%s", child.lines()).isEqualTo(138);
        }
    }

    /** Reloads with each SIGHUP, until the first SIGTERM; then it waits for what may come. */
    static final class Reloading {
        public static void main(String[] args) throws Exception {
            TaskRuntime.run(() -> {
                try (Signal terminate = Signal.listen(SignalKind.TERMINATE);
                        Signal hangup = Signal.listen(SignalKind.HANGUP)) {
                    listenForOthers();
                    System.out.println("ready");
                    Task.spawn(() -> {
                        for (int i = 1; ; i++) {
                            hangup.receive();
                            System.out.println("reloaded " + i);
                        }
                    });
                    terminate.receive();
                    System.out.println("told to end");
                }
                System.out.println("closed");
                Task.sleep(Duration.ofDays(1));
            });
        }

        private static void listenForOthers() {
            try {
                Signal.listen(SignalKind.USER1).close();
            } catch (IllegalArgumentException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
