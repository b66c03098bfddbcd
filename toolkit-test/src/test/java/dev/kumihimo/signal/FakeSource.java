package dev.kumihimo.signal;

/** Stands for the operating system: a listener that hears of a signal when a test says so. */
public final class FakeSource {
    private FakeSource() {}

    /** {@return a listener that the system does not know of} */
    public static Signal listener() {
        return new Signal(SignalKind.HANGUP);
    }

    /** Tells a listener of a signal. */
    public static void raise(Signal listener) {
        listener.told();
    }
}
