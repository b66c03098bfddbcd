package dev.kumihimo.test.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.LeakPolicy;
import dev.kumihimo.test.OnCarrier;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** No schedule accuses a program that is right. */
class CorpusTest {
    /** How many schedules for all programs together. */
    private static final int SCHEDULES = Integer.getInteger("kumihimo.test.corpus.schedules", 3_000);

    private static final LeakPolicy LEAKS = LeakPolicy.FAIL; // what they leave would be a false alarm, too
    private static final long SECONDS = 1_800; // a guard against hanging

    record Program(String name, VoidBody<?> body) {
        @Override
        public String toString() {
            return name;
        }
    }

    static final List<Program> ALL = List.of(
            new Program("producers and a consumer", Flows::producersAndAConsumer),
            new Program("pipeline", Flows::pipeline),
            new Program("worker pool", Flows::workerPool),
            new Program("publish and subscribe", Flows::publishAndSubscribe),
            new Program("slow subscriber", Flows::slowSubscriber),
            new Program("subscribers that hold the sender up", Flows::subscribersThatHoldTheSenderUp),
            new Program("select loop", Flows::selectLoop),
            new Program("requests and replies", Flows::requestsAndReplies),
            new Program("reloaded configuration", Flows::reloadedConfiguration),
            new Program("deque with a notify", Flows::dequeWithANotify),
            new Program("delayed jobs", Flows::delayedJobs),
            new Program("pooled connections", Flows::pooledConnections),
            new Program("fan-out", Groups::fanOut),
            new Program("fan-out with a failure", Groups::fanOutWithAFailure),
            new Program("all or nothing", Groups::allOrNothing),
            new Program("first replica wins", Groups::firstReplicaWins),
            new Program("bounded parallel map", Groups::boundedParallelMap),
            new Program("map whose task is aborted", Groups::mapWhoseTaskIsAborted),
            new Program("timeouts", Groups::timeouts),
            new Program("timeout in a timeout", Groups::timeoutInATimeout),
            new Program("retries with back-off", Groups::retriesWithBackOff),
            new Program("restarted by a supervisor", Groups::restartedByASupervisor),
            new Program("limited rate", Groups::limitedRate),
            new Program("graceful shutdown", Groups::gracefulShutdown),
            new Program("tree of tokens", Groups::treeOfTokens),
            new Program("cache under a mutex", Groups::cacheUnderAMutex),
            new Program("cache under a readers-writer lock", Groups::cacheUnderAReadersWriterLock),
            new Program("steps with a barrier", Groups::stepsWithABarrier),
            new Program("initialised once", Groups::initialisedOnce),
            new Program("philosophers in one order", Groups::philosophersInOneOrder));

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void join(List<? extends JoinHandle<?>> tasks) throws Exception {
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
    }

    @Test
    void thereAreEnough() {
        assertThat(ALL).hasSizeGreaterThanOrEqualTo(20);
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void program_isNotAccused(Program program) throws Exception {
        int schedules = 0;
        int each = Math.ceilDiv(SCHEDULES, ALL.size());
        int mixed = each / 3; // also in the other orders that a test can ask for
        for (Explore explore : List.of(Explore.seeds(each - mixed), Explore.portfolio(mixed))) {
            Explore.Result result = OnCarrier.call(
                    () -> explore.configure(builder -> builder.leaks(LEAKS)).run(program.body()), SECONDS);
            assertThat(result.distinct()).isGreaterThan(1);
            schedules += result.schedules();
        }
        assertThat(schedules).isGreaterThanOrEqualTo(each);
    }
}
