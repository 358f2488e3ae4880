package io.carom.guest;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A PCI function as the guest enumerated it.
 *
 * @param address such as {@code 00:04.0}
 * @param config the 256 bytes of config space as read now
 * @param bars the BARs as sized and assigned
 * @param driver the bound driver, or null
 * @param irq interrupt number, or 0
 */
public record PciDeviceInfo(
    String address, byte[] config, List<Bar> bars, @Nullable String driver, int irq) {
  /** Copies. */
  public PciDeviceInfo {
    config = config.clone();
    bars = List.copyOf(bars);
  }

  /**
   * One BAR.
   *
   * @param index 0..5
   * @param address assigned guest-physical address
   * @param size bytes
   * @param wide 64-bit
   * @param prefetchable as the BAR says
   */
  public record Bar(int index, long address, long size, boolean wide, boolean prefetchable) {}
}
