package io.carom.fuzz;

import io.carom.virtio.testkit.RingLayout;

/** A split ring that a driver writes by hand. */
public final class SplitChainTarget {
  private SplitChainTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    ChainProgram.run(RingLayout.SPLIT, bytes);
  }
}
