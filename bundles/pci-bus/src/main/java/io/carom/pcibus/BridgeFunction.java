package io.carom.pcibus;

import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import java.util.List;

/** The host bridge as the guest finds it at 00:00.0: config space and nothing else. */
final class BridgeFunction implements PciFunction {
  /** Ids of the generic PCI Express host bridge, which systems know without a driver. */
  private static final PciFunctionSpec SPEC =
      new PciFunctionSpec(
          0x1b36, 0x0008, 0, 0x060000, 0x1af4, 0x1100, 0, List.of(), List.of(), null);

  @Override
  public PciFunctionSpec spec() {
    return SPEC;
  }

  @Override
  public void plugged(final PciAttachment attachment) {
    // neither DMA nor interrupts
  }

  @Override
  public void unplugged() {
    // only with the whole bus
  }

  @Override
  public long read(final int bar, final long offset, final int width) {
    return -1; // no BAR, never called
  }

  @Override
  public void write(final int bar, final long offset, final int width, final long value) {
    // no BAR, never called
  }
}
