package io.carom.pci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A function's slot as the guest sees it. Holds nothing of the code of a device model.
 *
 * @param address where
 * @param name the service property {@link PciFunction#NAME}
 * @param label how logs speak of it
 * @param spec what it is; {@linkplain PciFunctionSpec#withoutCode() without code}
 * @param range its own SWIOTLB range, or null
 * @param config the bytes of its configuration space: command, BARs, message control, and all else
 *     that the guest may have written
 * @param signals its vectors and its line, live
 * @param doorbells stores that are latched, oldest first
 * @param overran whether an access of its model had not ended when the bus went, see {@link
 *     PciAttachment#overran}
 */
public record SlotRecord(
    PciAddress address,
    String name,
    String label,
    PciFunctionSpec spec,
    @Nullable OwnRange range,
    byte[] config,
    SlotSignals signals,
    List<Doorbell> doorbells,
    boolean overran) {
  /** Copies what can change. */
  public SlotRecord {
    config = config.clone();
    doorbells = List.copyOf(doorbells);
  }

  /** A copy. */
  @Override
  public byte[] config() {
    return config.clone();
  }

  /** The same, with what is known when the bus goes. */
  public SlotRecord left(final List<Doorbell> latched, final boolean late) {
    return new SlotRecord(address, name, label, spec, range, config, signals, latched, late);
  }

  /**
   * A store to a doorbell that waits for the function to come back.
   *
   * @param bar BAR index
   * @param offset within the BAR
   * @param width 1, 2, 4 or 8
   * @param value what was stored
   */
  public record Doorbell(int bar, long offset, int width, long value) {}
}
