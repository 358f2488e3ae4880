package io.carom.guest.shim.virtio;

import io.carom.virtio.DmbDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import java.util.List;
import java.util.Locale;

/**
 * What the guest's configuration says of all virtio devices; looked at when features are
 * negotiated.
 *
 * @param acceptSwiotlb whether VIRTIO_F_SWIOTLB is accepted where offered
 * @param swiotlbBit number of that feature bit
 * @param dmbBit number of the feature bit of VIRTIO_F_DMB
 * @param dmbRegister offset of its {@code dmb_shm_id} in the common configuration
 * @param msix whether MSI-X is used where a function has it; else INTx
 * @param denied names of features, or their bit numbers, that are not accepted
 */
public record VirtioSettings(
    boolean acceptSwiotlb,
    int swiotlbBit,
    int dmbBit,
    int dmbRegister,
    boolean msix,
    List<String> denied) {
  /** What is used unless it is configured. */
  public static final VirtioSettings DEFAULTS =
      new VirtioSettings(
          true,
          VirtioFeatures.SWIOTLB_BIT,
          DmbDescriptor.DEFAULT_BIT,
          DmbDescriptor.DEFAULT_SHM_ID_REGISTER,
          true,
          List.of());

  private static final List<Integer> TYPES =
      List.of(
          VirtioIds.TYPE_NET, VirtioIds.TYPE_BLOCK, VirtioIds.TYPE_CONSOLE, VirtioIds.TYPE_IOMMU);

  /**
   * Settings.
   *
   * @throws IllegalArgumentException for a bit or a name that there is not
   */
  public VirtioSettings {
    bit("swiotlbBit", swiotlbBit);
    bit("dmbBit", dmbBit);
    if (dmbRegister < 0 || dmbRegister > DmbDescriptor.MAX_SHM_ID_REGISTER) {
      throw new IllegalArgumentException(
          "dmbRegister=" + dmbRegister + " is not in 0.." + DmbDescriptor.MAX_SHM_ID_REGISTER);
    }
    if (swiotlbBit == dmbBit) {
      throw new IllegalArgumentException(
          "swiotlbBit and dmbBit are both " + dmbBit + ": a bit is one feature's");
    }
    denied = List.copyOf(denied);
    for (final String name : denied) {
      if (TYPES.stream().noneMatch(type -> mask(type, name) != 0)) {
        throw new IllegalArgumentException(
            "denyFeatures: "
                + name
                + " is no feature: use names as virtio:info prints them, such as RING_PACKED, or"
                + " bit numbers 0..63");
      }
    }
  }

  private static void bit(final String attribute, final int value) {
    if (value < 0 || value >= Long.SIZE) {
      throw new IllegalArgumentException(attribute + "=" + value + " is not in 0..63");
    }
  }

  /** These settings with other features that are not accepted. */
  public VirtioSettings withDenied(final String... names) {
    return new VirtioSettings(acceptSwiotlb, swiotlbBit, dmbBit, dmbRegister, msix, List.of(names));
  }

  /** These settings without MSI-X. */
  public VirtioSettings withoutMsix() {
    return new VirtioSettings(acceptSwiotlb, swiotlbBit, dmbBit, dmbRegister, false, denied);
  }

  /** The SWIOTLB feature. */
  long swiotlb() {
    return 1L << swiotlbBit;
  }

  /** The DMB feature. */
  long dmb() {
    return 1L << dmbBit;
  }

  /** What must not be accepted of a device of a type. */
  long denied(final int type) {
    long mask = 0;
    for (final String name : denied) {
      mask |= mask(type, name);
    }
    return mask;
  }

  private static long mask(final int type, final String name) {
    final String wanted = name.toUpperCase(Locale.ROOT);
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if (wanted.equals(Integer.toString(bit))
          || wanted.equals(VirtioFeatures.name(type, bit).toUpperCase(Locale.ROOT))) {
        return 1L << bit;
      }
    }
    return 0;
  }
}
