package io.carom.dma;

import java.io.Serial;

/**
 * A driver used the DMA API wrongly: it unmapped twice, with another size or direction, or synced
 * outside its mapping. The message names device, address and rule. Nothing was changed.
 */
public final class DmaUsageException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** A violation by {@code device} at a bus address. */
  public DmaUsageException(final String device, final long address, final String rule) {
    super(
        "DMA-API: "
            + device
            + ": "
            + rule
            + " [device address=0x"
            + String.format("%016x", address)
            + "]");
  }
}
