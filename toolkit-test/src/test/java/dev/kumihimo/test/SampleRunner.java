package dev.kumihimo.test;

import dev.kumihimo.internal.wait.Points;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The program of the JVMs that {@link AsyncTestJvmsTest} starts: runs the samples named and prints how each ended. */
final class SampleRunner {
    private SampleRunner() {}

    public static void main(String[] samples) {
        System.out.println("JUnit " + Test.class.getPackage().getImplementationVersion() + ", points " + Points.ON
                + ", kit in " + TestRuntime.class.getModule());
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(Arrays.stream(samples)
                                        .map(DiscoverySelectors::selectClass)
                                        .toList())
                                .build(),
                        new TestExecutionListener() {
                            @Override
                            public void executionFinished(TestIdentifier id, TestExecutionResult result) {
                                if (id.isTest()) {
                                    print(id, result);
                                }
                            }
                        });
        System.out.println("done");
        System.exit(0); // a sample may have left a thread that holds its carrier
    }

    private static void print(TestIdentifier id, TestExecutionResult result) {
        String name = id.getDisplayName().replaceAll("\\(.*", "");
        System.out.println(name + " " + result.getStatus());
        result.getThrowable().ifPresent(thrown -> {
            System.out.println(name + " threw " + thrown);
            for (Throwable suppressed : thrown.getSuppressed()) {
                System.out.println(name + " suppressed " + suppressed);
            }
        });
    }
}
