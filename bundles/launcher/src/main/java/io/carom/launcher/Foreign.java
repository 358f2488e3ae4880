package io.carom.launcher;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * Calls to objects whose classes live in bundles, and which the launcher therefore cannot name.
 * Private loaders keep the launcher out of the wiring of the container.
 */
final class Foreign {
  private Foreign() {}

  /** Calls a public method without parameters. */
  static @Nullable Object call(Object target, String method) {
    return invoke(target, find(target.getClass(), method));
  }

  /** Calls a public method of one parameter. */
  static @Nullable Object call(
      Object target, String method, Class<?> parameter, @Nullable Object argument) {
    return invoke(target, find(target.getClass(), method, parameter), argument);
  }

  /** Calls a method, and throws what it throws. */
  static @Nullable Object invoke(Object target, Method method, @Nullable Object... arguments) {
    try {
      method.setAccessible(true);
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      throw sneak(cause == null ? e : cause);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether the object answers a public method of that name with {@code true}. */
  static boolean isTrue(Object target, String method) {
    try {
      Method candidate = target.getClass().getMethod(method);
      return candidate.getReturnType() == boolean.class
          && Boolean.TRUE.equals(invoke(target, candidate));
    } catch (NoSuchMethodException e) {
      return false;
    }
  }

  private static Method find(Class<?> type, String name, Class<?>... parameters) {
    try {
      return type.getMethod(name, parameters);
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(type + " has no method " + name, e);
    }
  }

  /** Throws a checked exception where no signature can name it. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> RuntimeException sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }
}
