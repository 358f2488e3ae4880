package io.carom.dma.core.pool;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Says of a thread that did not return where it is. */
final class HungThread {
  private static final int FRAMES = 6;

  private HungThread() {}

  /** Its name and the innermost frames, or that it is gone. */
  static String describe(final long threadId) {
    // Of all threads, and not of the one: see StripeLock, whose protocol needs a safepoint.
    for (final Map.Entry<Thread, StackTraceElement[]> entry :
        Thread.getAllStackTraces().entrySet()) {
      if (entry.getKey().threadId() == threadId) {
        return describe(entry.getKey(), entry.getValue());
      }
    }
    return "thread " + threadId + ", which is gone";
  }

  /** Its name and the innermost frames; null is one that has not begun. */
  static String describe(final @Nullable Thread thread) {
    return thread == null
        ? "a thread that did not begin"
        : describe(thread, thread.getStackTrace());
  }

  private static String describe(final Thread thread, final StackTraceElement[] stack) {
    final StringBuilder text = new StringBuilder("thread ").append(thread.getName());
    for (int i = 0; i < Math.min(FRAMES, stack.length); i++) {
      text.append(i == 0 ? " at " : " < ").append(stack[i]);
    }
    return text.toString();
  }
}
