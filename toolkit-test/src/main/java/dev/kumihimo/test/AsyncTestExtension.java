package dev.kumihimo.test;

import java.lang.reflect.Method;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** What JUnit Jupiter calls for an {@link AsyncTest}. It has no state: that is a {@link AsyncTestSession} in JUnit's store. */
final class AsyncTestExtension
        implements AfterEachCallback, BeforeEachCallback, InvocationInterceptor, ParameterResolver {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(AsyncTestExtension.class);

    AsyncTestExtension() {}

    static @Nullable AsyncTestSession sessionOf(ExtensionContext context) {
        return context.getStore(NAMESPACE).get(AsyncTestSession.class, AsyncTestSession.class);
    }

    private static AsyncTestSession requireSession(ExtensionContext context) {
        AsyncTestSession session = sessionOf(context);
        if (session == null) {
            throw new IllegalStateException("this test has not begun: " + context.getUniqueId());
        }
        return session;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        Method method = context.getRequiredTestMethod();
        if (AnnotationSupport.isAnnotated(method, TestTemplate.class)) {
            throw new ExtensionConfigurationException("@AsyncTest is a test by itself: " + method.getName()
                    + " cannot be a parameterized, repeated or other template, too");
        }
        OpenedJdk.require();
        AsyncTestPlan plan = new AsyncTestPlan(method, context.getUniqueId());
        context.getStore(NAMESPACE).put(AsyncTestSession.class, new AsyncTestSession(plan, context));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        AsyncTestSession session = sessionOf(context);
        if (session != null) {
            session.end();
        }
    }

    @Override
    @SuppressWarnings("NullAway") // Void is null, and JUnit 5.12 declares nothing about it
    public void interceptTestMethod(
            Invocation<Void> invocation, ReflectiveInvocationContext<Method> called, ExtensionContext context)
            throws Throwable {
        requireSession(context).run(invocation);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        if (!TestRun.isParameter(type)) {
            return false;
        }
        Optional<Method> test = context.getTestMethod();
        if (test.isEmpty() || !test.get().equals(parameter.getDeclaringExecutable())) {
            throw new ParameterResolutionException(type.getSimpleName()
                    + " is a parameter of @AsyncTest methods only, and not of " + parameter.getDeclaringExecutable());
        }
        return true;
    }

    @Override
    public @Nullable Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return requireSession(context).parameter(parameter.getParameter().getType());
    }
}
