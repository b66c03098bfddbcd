package dev.kumihimo.net;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** The directions in which the rooms of this module may depend on each other. */
class NetArchitectureTest {
    private static final String STREAM = "dev.kumihimo.internal.stream";
    private static final String IO = "dev.kumihimo.io";
    private static final String NET = "dev.kumihimo.net";
    private static final String CODEC = "dev.kumihimo.codec";
    private static final String TLS = "dev.kumihimo.tls";

    private static final JavaClasses MODULE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(STREAM, IO, NET, CODEC, TLS);

    @Test
    void dependenciesPointDown() {
        mayNotUse(STREAM, IO, NET, CODEC, TLS);
        mayNotUse(IO, NET, CODEC, TLS);
        mayNotUse(CODEC, NET, TLS);
        mayNotUse(NET, CODEC, TLS);
        mayNotUse(TLS, CODEC);
    }

    @Test
    void onlyTheWaitRoom_parks() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(LockSupport.class)
                .check(MODULE);
    }

    /** So that a test's clock is all that there is; {@link AcceptBackOff} only counts how often it logs. */
    @Test
    void time_comesFromTheTimersOfTheRuntime() {
        noClasses()
                .that()
                .doNotBelongToAnyOf(AcceptBackOff.class)
                .should()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .check(MODULE);
    }

    private static void mayNotUse(String room, String... others) {
        noClasses()
                .that()
                .resideInAPackage(room)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(others)
                .check(MODULE);
    }
}
