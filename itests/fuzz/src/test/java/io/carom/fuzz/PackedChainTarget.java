package io.carom.fuzz;

import io.carom.virtio.testkit.RingLayout;

/** A packed ring that a driver writes by hand. */
public final class PackedChainTarget {
  private PackedChainTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    ChainProgram.run(RingLayout.PACKED, bytes);
  }
}
