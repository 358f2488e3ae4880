package io.carom.pci;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A device model, as the bus sees it. Register it as an OSGi service and the bus plugs it in;
 * unregister it and the guest sees a surprise removal (an orderly one goes through {@link
 * PciBus#eject}).
 *
 * <p>Service properties: {@value #NAME} (required, unique), {@value #SLOT} (optional, such as
 * {@code 00:04.0}; else the first free slot).
 */
@ConsumerType
public interface PciFunction {
  /** Service property: the function's name, such as the disk's. */
  String NAME = "io.carom.pci.name";

  /** Service property: the wanted address. */
  String SLOT = "io.carom.pci.slot";

  /**
   * Service property, {@code Boolean}: whether the guest shall see nothing but time when the
   * service goes and one of the same name and an equal spec comes within the bus's {@code
   * absentTimeoutMs}. Meanwhile the slot stays taken with its configuration, MSI-X table and place
   * in the map; its port is revoked; doorbells latch, other accesses wait. Without it, or after
   * {@link PciAttachment#leaving}, the end of the service is a surprise removal at once.
   */
  String KEEP = "io.carom.pci.keep";

  /** What the function is. Constant while it is plugged. */
  PciFunctionSpec spec();

  /** The function was plugged; its port and interrupts work from now on. */
  void plugged(PciAttachment attachment);

  /** The function was taken out; the attachment's port is revoked when this is called. */
  void unplugged();

  /**
   * A guest load from a register BAR, on the guest's thread.
   *
   * @param bar BAR index
   * @param offset within the BAR, aligned to {@code width}
   * @param width 1, 2, 4 or 8
   */
  long read(int bar, long offset, int width);

  /** A guest store to a register BAR. */
  void write(int bar, long offset, int width, long value);

  /**
   * Memory decoding, bus mastering, INTx disable, a BAR's address, MSI-X enable or mask, or the
   * place of a range that another function of the device has, changed. Called after the change.
   */
  default void commandChanged(final int command) {}

  /**
   * How the function reaches its SWIOTLB range, when there is more to say than that a BAR is
   * {@linkplain BarSpec#swiotlb marked}. Constant while it is plugged.
   */
  default @Nullable OwnRange ownRange() {
    return null;
  }

  /** The name under which faults and logs speak of it; null for the address alone. */
  default @Nullable String label() {
    return null;
  }
}
