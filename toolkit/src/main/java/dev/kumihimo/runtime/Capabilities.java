package dev.kumihimo.runtime;

/**
 * What a runtime can do on this JVM, since that depends on the JDK and on one JVM flag.
 *
 * <pre>{@code
 * if (runtime.capabilities().isolation() == Capabilities.Isolation.SHARED) { ... } // started without the flag
 * }</pre>
 *
 * @param isolation whose carriers it runs on
 * @param structuredScopes whether {@code JoinSet} carries {@code ScopedValue} bindings to its tasks
 * @since 0.1
 */
public record Capabilities(Isolation isolation, boolean structuredScopes) {
    /** Whose carriers a runtime runs on. */
    public enum Isolation {
        /** Its own: nothing in other runtimes or in the JDK's scheduler holds its tasks up. */
        ISOLATED,
        /** The JDK's, shared by the JVM, because {@code --add-opens java.base/java.lang=ALL-UNNAMED} was not given. */
        SHARED
    }
}
