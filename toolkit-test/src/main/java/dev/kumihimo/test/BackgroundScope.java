package dev.kumihimo.test;

/**
 * Tasks that an {@link AsyncTest} aborts when its body has returned, as a parameter of it: for what runs for ever, as a server
 * or a refresher.
 *
 * <pre>{@code
 * @AsyncTest
 * void answers(BackgroundScope background) throws Exception {
 *     Server server = new Server();
 *     background.spawn(server::run);
 *     assertThat(server.ask()).isEqualTo(42);
 * }
 * }</pre>
 *
 * <p>A failure of one before that, unless somebody has joined it, fails the test; what one throws because it was aborted does
 * not, unless it is an {@link AssertionError}. They are aborted after the tasks of the {@link TestScope} have ended, and have 5 s
 * of virtual time to end. What tasks they have spawned are aborted after them.
 *
 * @since 0.1
 */
public final class BackgroundScope extends SpawnScope {
    BackgroundScope(TestRuntime test) {
        super(test, true);
    }
}
