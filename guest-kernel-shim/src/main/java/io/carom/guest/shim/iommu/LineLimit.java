package io.carom.guest.shim.iommu;

import io.carom.guest.shim.block.KernelClock;
import io.carom.guest.shim.kernel.Dmesg;

/**
 * Lines that a device causes, at most ten in five seconds, as the kernel's rate limit; what was
 * left out is counted, and said with the next line. Guarded by its owner.
 */
public final class LineLimit {
  private static final int BURST = 10;
  private static final long INTERVAL_NS = 5_000_000_000L;

  private final Dmesg dmesg;
  private final String label;
  private final KernelClock clock;
  private long begin;
  private int lines = BURST;
  private long left;

  /**
   * A limit that has not been used.
   *
   * @param label what each line begins with
   */
  public LineLimit(final Dmesg dmesg, final String label, final KernelClock clock) {
    this.dmesg = dmesg;
    this.label = label;
    this.clock = clock;
    this.begin = clock.nanoTime() - INTERVAL_NS;
  }

  /** Logs a line, or counts it. */
  public void line(final String text) {
    final long now = clock.nanoTime();
    if (now - begin >= INTERVAL_NS) {
      begin = now;
      lines = 0;
      if (left > 0) {
        dmesg.log(label + left + " callbacks suppressed");
        left = 0;
      }
    }
    if (lines == BURST) {
      left++;
      return;
    }
    lines++;
    dmesg.log(label + text);
  }
}
