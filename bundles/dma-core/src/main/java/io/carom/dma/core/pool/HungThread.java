package io.carom.dma.core.pool;

import java.util.Map;

/** Says of a thread that did not return where it is. */
final class HungThread {
  private static final int FRAMES = 6;

  private HungThread() {}

  /** Its name and the innermost frames, or that it is gone. */
  static String describe(final long threadId) {
    for (final Map.Entry<Thread, StackTraceElement[]> entry :
        Thread.getAllStackTraces().entrySet()) {
      if (entry.getKey().threadId() == threadId) {
        final StringBuilder text = new StringBuilder("thread ").append(entry.getKey().getName());
        for (int i = 0; i < Math.min(FRAMES, entry.getValue().length); i++) {
          text.append(i == 0 ? " at " : " < ").append(entry.getValue()[i]);
        }
        return text.toString();
      }
    }
    return "thread " + threadId + ", which is gone";
  }
}
