package dev.kumihimo;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.runtime.TaskDump;
import dev.kumihimo.signal.Service;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** The directions in which rooms may depend on each other, and the doors that are the only ones. */
class ArchitectureTest {
    private static final JavaClasses TOOLKIT = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.kumihimo");

    @Test
    void roomsHaveNoCycles() {
        slices().matching("dev.kumihimo.(**)").should().beFreeOfCycles().check(TOOLKIT);
    }

    @Test
    void dependenciesPointDown() {
        noClasses()
                .that()
                .resideInAPackage("dev.kumihimo.internal..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.kumihimo.runtime",
                        "dev.kumihimo.task",
                        "dev.kumihimo.channel",
                        "dev.kumihimo.sync",
                        "dev.kumihimo.time",
                        "dev.kumihimo.fs",
                        "dev.kumihimo.process",
                        "dev.kumihimo.select",
                        "dev.kumihimo.signal")
                .check(TOOLKIT);
        noClasses()
                .that()
                .resideInAnyPackage("dev.kumihimo.runtime", "dev.kumihimo.channel", "dev.kumihimo.sync")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.kumihimo.task", "dev.kumihimo.time", "dev.kumihimo.fs", "dev.kumihimo.process")
                .check(TOOLKIT);
        noClasses()
                .that()
                .resideInAPackage("dev.kumihimo.select")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.kumihimo.runtime",
                        "dev.kumihimo.task",
                        "dev.kumihimo.channel",
                        "dev.kumihimo.sync",
                        "dev.kumihimo.time",
                        "dev.kumihimo.fs",
                        "dev.kumihimo.process")
                .check(TOOLKIT);
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.kumihimo.signal")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.kumihimo.signal")
                .check(TOOLKIT);
        noClasses()
                .that()
                .resideInAPackage("dev.kumihimo.internal.wait")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.kumihimo.internal.carrier", "dev.kumihimo.internal.driver", "dev.kumihimo.internal.jdk")
                .check(TOOLKIT);
    }

    /** So that a test's clock is all that there is; what is left measures real threads, signals and dumps. */
    @Test
    void time_comesFromTheTimersOfTheRuntime() {
        noClasses()
                .that()
                .doNotBelongToAnyOf(TimerService.class, Driver.class, Service.class, TaskDump.class)
                .and()
                .haveNameNotMatching(".*\\.(SignalSource|Sentinel|BlockingPool)(\\$.*)?")
                .should()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(Instant.class, "now")
                .check(TOOLKIT);
    }

    @Test
    void onlyTheJdkDoor_looksInsideTheJdk() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.kumihimo.internal.jdk")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Method.class, Constructor.class, java.lang.reflect.Field.class)
                .orShould()
                .callMethod(
                        java.lang.invoke.MethodHandles.class,
                        "privateLookupIn",
                        Class.class,
                        java.lang.invoke.MethodHandles.Lookup.class)
                .check(TOOLKIT);
    }

    /** The sentinel, an idle carrier and idle threads of a pool are no tasks, and the JDK's scope has a wait of its own after an interrupted join. */
    @Test
    void onlyTheWaitRoom_parks() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.kumihimo.internal.wait")
                .and()
                .doNotHaveSimpleName("Sentinel")
                .and()
                .doNotHaveSimpleName("Driver")
                .and()
                .doNotHaveSimpleName("StructuredScope")
                .and()
                .doNotHaveFullyQualifiedName("dev.kumihimo.internal.carrier.BlockingPool$Worker")
                .should()
                .callMethod(LockSupport.class, "park")
                .orShould()
                .callMethod(LockSupport.class, "park", Object.class)
                .orShould()
                .callMethod(LockSupport.class, "parkNanos", Object.class, long.class)
                .orShould()
                .callMethod(LockSupport.class, "parkNanos", long.class)
                .orShould()
                .callMethod(Object.class, "wait")
                .check(TOOLKIT);
    }

    @Test
    void ofJctools_onlyTheAtomicQueuesAreUsed() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.jctools.queues", "org.jctools.util", "org.jctools.maps")
                .check(TOOLKIT);
    }
}
