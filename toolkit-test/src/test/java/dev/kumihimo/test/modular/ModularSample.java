package dev.kumihimo.test.modular;

import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.AsyncTest;
import dev.kumihimo.test.TestClock;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.test.TestScope;
import java.time.Duration;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** A user's test, and a program that runs it: in a package of its own, which no module has. */
public class ModularSample {
    @AsyncTest(schedules = 3)
    void sleeps(TestScope scope, TestClock clock) throws Exception {
        scope.spawn(() -> Task.yieldNow());
        Task.sleep(Duration.ofHours(1));
        if (!clock.elapsed().equals(Duration.ofHours(1))) {
            throw new AssertionError(clock);
        }
    }

    public static void main(String[] args) {
        System.out.println("points " + Points.ON + ", kit in " + TestRuntime.class.getModule());
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(DiscoverySelectors.selectClass(ModularSample.class))
                                .build(),
                        new TestExecutionListener() {
                            @Override
                            public void executionFinished(TestIdentifier id, TestExecutionResult result) {
                                System.out.println(id.getDisplayName() + " " + result);
                            }
                        });
    }
}
