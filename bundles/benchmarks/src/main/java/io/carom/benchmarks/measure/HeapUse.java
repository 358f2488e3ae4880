package io.carom.benchmarks.measure;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Bytes that a thread allocates on the heap for an operation. */
public final class HeapUse {
  private HeapUse() {}

  /** Measured on the calling thread, for a loop that has run for long. */
  public static double bytesPerOperation(final Loop loop, final long operations) {
    final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    threads.getCurrentThreadAllocatedBytes(); // the first call may allocate for itself
    final long before = threads.getCurrentThreadAllocatedBytes();
    loop.run(operations);
    return (double) (threads.getCurrentThreadAllocatedBytes() - before) / operations;
  }
}
