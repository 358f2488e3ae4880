package io.carom.benchmarks.measure;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * Processor time of loops on the calling thread: what others take of the processor meanwhile does
 * not count, so that differences of nanoseconds can be told on a busy machine.
 */
public final class CpuTime {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private CpuTime() {}

  /**
   * Time of one operation.
   *
   * @param loop one that has run before, so that its batch is long enough
   * @param ns processor time that it takes at least, nanoseconds
   * @return NaN when all failed
   */
  public static double nsPerOperation(final Loop loop, final long ns) {
    long operations = 0;
    final long start = THREADS.getCurrentThreadCpuTime();
    long took;
    do {
      operations += loop.batch - loop.run(loop.batch);
      took = THREADS.getCurrentThreadCpuTime() - start;
    } while (took < ns);
    return operations == 0 ? Double.NaN : (double) took / operations;
  }
}
