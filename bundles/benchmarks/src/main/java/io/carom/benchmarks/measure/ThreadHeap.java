package io.carom.benchmarks.measure;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;

/**
 * What some threads have allocated on the heap: those that live when it is made, by their names.
 */
public final class ThreadHeap {
  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final long[] ids;

  /**
   * Threads.
   *
   * @param names how their names begin
   * @throws IllegalStateException when there is none
   */
  public ThreadHeap(final List<String> names) {
    ids =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> names.stream().anyMatch(thread.getName()::startsWith))
            .mapToLong(Thread::threadId)
            .toArray();
    if (ids.length == 0) {
      throw new IllegalStateException("no thread is called " + String.join(" or ", names));
    }
  }

  /** Bytes so far. */
  public long bytes() {
    return Arrays.stream(threads.getThreadAllocatedBytes(ids)).filter(bytes -> bytes > 0).sum();
  }
}
