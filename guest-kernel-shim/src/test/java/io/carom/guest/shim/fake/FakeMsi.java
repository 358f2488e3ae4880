package io.carom.guest.shim.fake;

import io.carom.pci.InterruptSink;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import org.jspecify.annotations.Nullable;

/** Delivers at once; what comes without a sink is dropped. */
public final class FakeMsi implements MsiController {
  private volatile @Nullable InterruptSink sink;

  @Override
  public void message(final long address, final int data) {
    final InterruptSink to = sink;
    if (to != null) {
      to.message(address, data);
    }
  }

  @Override
  public void line(final PciAddress source, final int pin, final boolean asserted) {
    final InterruptSink to = sink;
    if (to != null) {
      to.line(source, pin, asserted);
    }
  }

  @Override
  public void sink(final @Nullable InterruptSink to) {
    sink = to;
  }

  /** Whether the guest listens. */
  public boolean connected() {
    return sink != null;
  }
}
