package io.carom.virtio;

/**
 * Which ring features a device offers.
 *
 * @param layout which layouts
 * @param inOrder whether IN_ORDER
 * @param indirect whether INDIRECT_DESC
 * @param eventIdx whether EVENT_IDX
 */
public record RingOptions(Layout layout, boolean inOrder, boolean indirect, boolean eventIdx) {
  /** What a device offers unless told otherwise. */
  public static final RingOptions DEFAULT = new RingOptions(Layout.BOTH, true, true, true);

  /** Which layouts a device offers. */
  public enum Layout {
    /** Split rings only. */
    SPLIT,
    /** Packed rings only: FEATURES_OK is refused without RING_PACKED. */
    PACKED,
    /** The driver chooses. */
    BOTH
  }
}
