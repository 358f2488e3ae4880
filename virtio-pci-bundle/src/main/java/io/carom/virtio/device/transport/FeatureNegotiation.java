package io.carom.virtio.device.transport;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.region.BounceRegion;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Offered and accepted feature bits (virtio 1.4, section Feature Bits). Guarded by the device's
 * lock.
 *
 * <p>128 bits are kept of what the driver writes; it may select any window, and one that writes
 * bits beyond that is refused like any that accepts what was not offered.
 */
final class FeatureNegotiation {
  private static final int WORDS = 4;

  private final int typeId;
  private final long offered;
  private final long needed;
  private final BounceRegion region;
  private final int[] words = new int[WORDS];
  private boolean beyond;
  private int deviceSelect;
  private int driverSelect;

  /**
   * Nothing accepted.
   *
   * @param needed features that FEATURES_OK is refused without
   */
  FeatureNegotiation(
      final int typeId, final long offered, final long needed, final BounceRegion region) {
    this.typeId = typeId;
    this.offered = offered;
    this.needed = needed;
    this.region = region;
  }

  void reset() {
    Arrays.fill(words, 0);
    beyond = false;
    deviceSelect = 0;
    driverSelect = 0;
  }

  int deviceSelect() {
    return deviceSelect;
  }

  void deviceSelect(final int window) {
    deviceSelect = window;
  }

  int driverSelect() {
    return driverSelect;
  }

  void driverSelect(final int window) {
    driverSelect = window;
  }

  /** Offered bits of the selected window; none are offered beyond 63. */
  int deviceFeature() {
    return switch (deviceSelect) {
      case 0 -> (int) offered;
      case 1 -> (int) (offered >>> Integer.SIZE);
      default -> 0;
    };
  }

  /** Accepted bits of the selected window. */
  int driverFeature() {
    return driverSelect >= 0 && driverSelect < WORDS ? words[driverSelect] : 0;
  }

  void driverFeature(final int bits) {
    if (driverSelect >= 0 && driverSelect < WORDS) {
      words[driverSelect] = bits;
    } else if (bits != 0) {
      beyond = true;
    }
  }

  long offered() {
    return offered;
  }

  /** Accepted bits 0..63. */
  long accepted() {
    return (words[0] & 0xffff_ffffL) | ((long) words[1] << Integer.SIZE);
  }

  /** Takes bits up as a driver's that were accepted before. */
  void restore(final long accepted) {
    reset();
    words[0] = (int) accepted;
    words[1] = (int) (accepted >>> Integer.SIZE);
  }

  /** Why what the driver accepted cannot be worked with, or null. */
  @Nullable String refusal() {
    final long accepted = accepted();
    final long unoffered = accepted & ~offered;
    if (unoffered != 0) {
      return "the driver accepted what was not offered: "
          + String.join(" ", VirtioFeatures.names(typeId, unoffered));
    }
    if (words[2] != 0 || words[3] != 0 || beyond) {
      return "the driver accepted what was not offered: bits above 63";
    }
    final String missing = FeatureDependencies.missing(typeId, accepted);
    if (missing != null) {
      return "the driver accepted a feature without what it needs: " + missing;
    }
    if ((accepted & VirtioFeatures.VERSION_1) == 0) {
      return "the driver did not accept VERSION_1; there is no legacy interface";
    }
    if ((needed & ~accepted) != 0) {
      return "the driver did not accept "
          + String.join(" ", VirtioFeatures.names(typeId, needed & ~accepted))
          + ", which ring=packed insists on; ring=both does not";
    }
    return region.refusal(offered, accepted);
  }
}
