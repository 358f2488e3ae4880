package io.carom.pcibus.function;

import io.carom.memory.MmioHandler;
import io.carom.pci.BarSpec;
import org.jspecify.annotations.Nullable;

/**
 * A register BAR in the address map: MSI-X where the bus emulates it, the function elsewhere. Table
 * and pending bits are multiples of 8 bytes at multiples of 8, so an aligned access never
 * straddles.
 */
final class BarWindow implements MmioHandler {
  private final FunctionCalls function;
  private final BarSpec spec;
  private final int bar;
  private final @Nullable MsixTable msix;

  /**
   * A window.
   *
   * @param msix the table if it lies in this BAR, or null
   */
  BarWindow(final FunctionCalls function, final BarSpec spec, final @Nullable MsixTable msix) {
    this.function = function;
    this.spec = spec;
    this.bar = spec.index();
    this.msix = msix;
  }

  @Override
  public long read(final long offset, final int width) {
    return msix != null && (msix.inTable(offset) || msix.inPending(offset))
        ? msix.read(offset, width)
        : function.read(bar, offset, width);
  }

  @Override
  public void write(final long offset, final int width, final long value) {
    if (msix != null && (msix.inTable(offset) || msix.inPending(offset))) {
      msix.write(offset, width, value);
    } else if (spec.isDoorbell(offset)) {
      function.ring(bar, offset, width, value);
    } else {
      function.write(bar, offset, width, value);
    }
  }
}
