package dev.kumihimo.test;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor.Invocation;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;

/*
 * Fields: under: written by the thread that JUnit runs the test on, before the runtime of it is driven; read by the tasks of
 * that runtime, and by JUnit's timer when it is about to interrupt.
 */

/** One node of JUnit's, and its runs. */
final class AsyncTestSession {
    private final AsyncTestPlan plan;
    private final ExtensionContext context;
    private volatile @Nullable TestRun under;

    AsyncTestSession(AsyncTestPlan plan, ExtensionContext context) {
        this.plan = plan;
        this.context = context;
    }

    /** {@return what is under way, or null} */
    @Nullable
    TestRuntime runtime() {
        TestRun run = under;
        return run == null ? null : run.test();
    }

    /**
     * {@return a parameter of the run under way} JUnit asks for the arguments before it calls us, when there is none yet: in the
     * one run these are used, else thrown away.
     */
    @Nullable
    Object parameter(Class<?> type) {
        TestRun run = plan.isOneRun() ? theOnlyRun() : under;
        return run == null ? null : run.parameter(type);
    }

    private TestRun theOnlyRun() {
        TestRun run = under;
        if (run == null) {
            run = new TestRun(plan.oneRuntime());
            under = run;
        }
        return run;
    }

    void run(Invocation<Void> invocation) throws Throwable {
        if (plan.isOneRun()) {
            runOnce(invocation);
        } else {
            invocation.skip(); // it could proceed once only, and on one instance
            explore();
        }
    }

    private void runOnce(Invocation<Void> invocation) throws Throwable {
        TestRun run = theOnlyRun();
        try {
            run.execute(invocation::proceed);
            plan.ensureReplayed();
        } catch (Throwable e) {
            String told = e + System.lineSeparator() + "  " + run.test().replay();
            tell(told + Replays.write(plan.name(), run.test().trace(), told));
            throw e;
        } finally {
            under = null;
        }
    }

    /** Lets go of the one run, if it was made for its arguments and never began: another of them was not to be had. */
    void end() {
        TestRun run = under;
        if (run != null) {
            under = null;
            run.test().close();
        }
    }

    private void explore() throws Throwable {
        Throwable[] failure = new Throwable[1];
        Explore.Result result;
        try {
            result = plan.exploration().runTrials(test -> {
                TestRun run = new TestRun(test);
                under = run;
                try {
                    run.execute(this::callMethod);
                } catch (Throwable e) {
                    if (failure[0] == null) {
                        failure[0] = e; // the one that is told; others may come of running it again
                    }
                    throw TestRuntime.<RuntimeException>sneak(e);
                } finally {
                    under = null;
                }
            });
        } catch (ScheduleError e) {
            tell(String.valueOf(e.getMessage()));
            Throwable thrown = failure[0];
            if (thrown == null || thrown != e.getCause()) {
                throw e;
            }
            hint(thrown);
            throw thrown;
        }
        context.publishReportEntry(Map.of(
                "schedules", Integer.toString(result.schedules()),
                "distinct", Integer.toString(result.distinct()),
                "exhausted", Boolean.toString(result.exhausted())));
    }

    /** As the main task: JUnit gives the arguments, and ours are those of this run. */
    private void callMethod() {
        context.getExecutableInvoker().invoke(context.getRequiredTestMethod(), instance());
    }

    /** To the stream that builds print, since they may cut what is suppressed off the stack trace. */
    private void tell(String text) {
        System.err.println("@AsyncTest " + context.getRequiredTestClass().getSimpleName() + "."
                + context.getRequiredTestMethod().getName() + ": " + text);
    }

    private void hint(Throwable thrown) {
        if (thrown instanceof NullPointerException
                && lifecycle(context.getRequiredTestClass()) != Lifecycle.PER_CLASS) {
            List<Method> setups = AnnotationSupport.findAnnotatedMethods(
                    context.getRequiredTestClass(), BeforeEach.class, HierarchyTraversalMode.TOP_DOWN);
            if (!setups.isEmpty()) {
                thrown.addSuppressed(
                        new ScheduleError("each of several schedules runs on an instance of its own, and @BeforeEach "
                                + setups.get(0).getName() + " ran on another: see @AsyncTest"));
            }
        }
    }

    /* ---------------- Instances -------------- */

    /** {@return the instance for a schedule: a new one in new ones, save that those made per class stay} */
    private Object instance() {
        List<Object> made = context.getRequiredTestInstances().getAllInstances(); // the outermost first
        int kept = made.size();
        while (kept > 0 && lifecycle(made.get(kept - 1).getClass()) != Lifecycle.PER_CLASS) {
            kept--;
        }
        Object instance = kept == 0 ? null : made.get(kept - 1);
        for (Object old : made.subList(kept, made.size())) {
            instance = anew(old.getClass(), instance);
        }
        if (instance == null) {
            throw new ExtensionConfigurationException("no test instance: " + context.getUniqueId());
        }
        return instance;
    }

    private Object anew(Class<?> type, @Nullable Object enclosing) {
        Constructor<?>[] constructors = type.getDeclaredConstructors();
        if (constructors.length != 1) {
            throw new ExtensionConfigurationException(
                    type + " must have one constructor, for the instances of @AsyncTest's schedules");
        }
        return enclosing == null
                ? context.getExecutableInvoker().invoke(constructors[0])
                : context.getExecutableInvoker().invoke(constructors[0], enclosing);
    }

    private @Nullable Lifecycle lifecycle(Class<?> type) {
        for (Optional<ExtensionContext> level = Optional.of(context);
                level.isPresent();
                level = level.get().getParent()) {
            if (level.get().getTestClass().filter(type::equals).isPresent()) {
                return level.get().getTestInstanceLifecycle().orElse(null);
            }
        }
        return null;
    }
}
