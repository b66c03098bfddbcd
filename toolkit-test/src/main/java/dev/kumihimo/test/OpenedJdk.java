package dev.kumihimo.test;

import dev.kumihimo.internal.jdk.VirtualThreads;
import java.util.concurrent.atomic.AtomicBoolean;

/** Whether this JVM lets tasks run on carriers of the kit's, and what a build needs for it. */
final class OpenedJdk {
    private static final AtomicBoolean TOLD = new AtomicBoolean();

    private OpenedJdk() {}

    /**
     * Fails if the JVM was not started with the flag: the first time with all that is to be done, then with one line.
     *
     * @throws IllegalStateException if so
     */
    static void require() {
        if (VirtualThreads.customSchedulers()) {
            return;
        }
        Module toolkit = VirtualThreads.class.getModule();
        if (Object.class.getModule().isOpen("java.lang", toolkit)) {
            throw new IllegalStateException(
                    "tests cannot control the schedulers of this JDK, which has other internals than those" + " known: "
                            + Runtime.version());
        }
        String opens = "java.base/java.lang=" + (toolkit.isNamed() ? toolkit.getName() : "ALL-UNNAMED");
        throw new IllegalStateException(
                TOLD.compareAndSet(false, true)
                        ? explanation(opens)
                        : "this JVM was started without --add-opens " + opens + ": see the first failure");
    }

    private static String explanation(String opens) {
        return """
                Tests that control tasks need the JVM flag --add-opens OPENS, and this JVM was started without it.

                Maven, in pom.xml:
                  <properties>
                    <argLine/>
                  </properties>
                  ...
                  <plugin>
                    <groupId>org.apache.maven.plugins</groupId>
                    <artifactId>maven-surefire-plugin</artifactId>
                    <configuration>
                      <argLine>@{argLine} --add-opens OPENS</argLine>
                    </configuration>
                  </plugin>

                Gradle, in build.gradle:
                  tasks.withType(Test).configureEach {
                    jvmArgs '--add-opens', 'OPENS'
                  }
                or in build.gradle.kts:
                  tasks.withType<Test>().configureEach {
                    jvmArgs("--add-opens", "OPENS")
                  }""".replace("OPENS", opens);
    }
}
