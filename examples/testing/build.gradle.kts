// The same as pom.xml says, for Gradle 8.5 or later. It is not run by this repository's build, which has no Gradle.
plugins {
    `java-library`
}

java {
    toolchain {
        languageVersion = JavaLanguageVersion.of(21) // or later
    }
}

repositories {
    mavenLocal() // for a snapshot that ./mvnw install has put there
    mavenCentral()
}

dependencies {
    implementation(platform("dev.kumihimo:kumihimo-bom:0.1.0-SNAPSHOT"))
    implementation("dev.kumihimo:kumihimo-toolkit")

    testImplementation(platform("org.junit:junit-bom:6.1.3"))
    testImplementation("dev.kumihimo:kumihimo-toolkit-test")
    testImplementation("org.junit.jupiter:junit-jupiter")
    testRuntimeOnly("org.junit.platform:junit-platform-launcher")
}

tasks.withType<Test>().configureEach {
    useJUnitPlatform()
    jvmArgs("--add-opens", "java.base/java.lang=ALL-UNNAMED")
    // Gradle passes on none of its -D: these are what the kit asks for, and race=true of this example.
    listOf(
        "kumihimo.test.seed",
        "kumihimo.test.replay",
        "kumihimo.test.trace",
        "kumihimo.test.schedules",
        "kumihimo.test.budget",
        "kumihimo.test.points",
        "race",
    ).forEach { name ->
        System.getProperty(name)?.let { systemProperty(name, it) }
    }
}
