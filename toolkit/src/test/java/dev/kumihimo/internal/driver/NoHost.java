package dev.kumihimo.internal.driver;

/** The host of a driver that only the test turns. */
final class NoHost implements Driver.Host {
    @Override
    public boolean callerAttends() {
        return true;
    }

    @Override
    public void attend() {
        throw new AssertionError("nobody to attend");
    }
}
