package io.carom.itests;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/**
 * What is left of a bundle's revision after it was replaced: threads that run its code, and its
 * class loader. None of it may be left.
 */
final class Revisions {
  private static final long BOUND_NS = TimeUnit.SECONDS.toNanos(60);
  private static final long NAP_MS = 20;

  private Revisions() {}

  /**
   * A revision, as it can be remembered without being held.
   *
   * @param loader its class loader
   * @param threads threads that are its own
   */
  record Trace(WeakReference<ClassLoader> loader, List<WeakReference<Thread>> threads) {}

  /** Remembers the revision of a bundle that is active. */
  static Trace trace(final Bundle bundle, final String packages) {
    return new Trace(
        new WeakReference<>(
            Objects.requireNonNull(bundle.adapt(BundleWiring.class)).getClassLoader()),
        own(packages).stream().map(WeakReference::new).toList());
  }

  /** Threads whose outermost code of Carom's is of those packages. */
  private static List<Thread> own(final String packages) {
    final List<Thread> own = new ArrayList<>();
    for (final Map.Entry<Thread, StackTraceElement[]> each :
        Thread.getAllStackTraces().entrySet()) {
      if (owner(each.getValue()).startsWith(packages)) {
        own.add(each.getKey());
      }
    }
    return own;
  }

  private static String owner(final StackTraceElement[] stack) {
    for (int i = stack.length - 1; i >= 0; i--) {
      if (stack[i].getClassName().startsWith("io.carom.")) {
        return stack[i].getClassName();
      }
    }
    return "";
  }

  /** Waits until no thread of a revision is alive. */
  static void awaitThreads(final Trace trace) throws Exception {
    final List<String> left = new ArrayList<>();
    final long start = System.nanoTime();
    do {
      left.clear();
      for (final WeakReference<Thread> each : trace.threads()) {
        final Thread thread = each.get();
        if (thread != null && thread.isAlive()) {
          left.add(thread.getName() + " " + List.of(thread.getStackTrace()));
        }
      }
      TimeUnit.MILLISECONDS.sleep(NAP_MS);
    } while (!left.isEmpty() && System.nanoTime() - start < BOUND_NS);
    if (!left.isEmpty()) {
      throw new AssertionError("threads of the old revision: " + left);
    }
  }

  /** Waits until the class loader of a revision is collected. */
  static void awaitCollected(final Trace trace) throws Exception {
    final long start = System.nanoTime();
    while (trace.loader().get() != null) {
      if (System.nanoTime() - start > BOUND_NS) {
        throw new AssertionError(
            "the old revision's class loader is held: " + trace.loader().get() + holders(trace));
      }
      System.gc();
      TimeUnit.MILLISECONDS.sleep(NAP_MS);
    }
  }

  /** Threads that could hold it; anything else shows in a heap dump only. */
  private static String holders(final Trace trace) {
    final ClassLoader loader = trace.loader().get();
    final StringBuilder text = new StringBuilder();
    for (final Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getContextClassLoader() == loader
          || thread.getClass().getClassLoader() == loader) {
        text.append("\n  by thread ").append(thread.getName());
      }
    }
    final String dump = System.getProperty("carom.itests.dump");
    if (dump != null) {
      text.append("\n  heap dump ").append(HeapDump.write(dump));
    }
    return text.isEmpty()
        ? " by no thread; -Dcarom.itests.dump=FILE dumps the heap"
        : text.toString();
  }
}
