package io.carom.virtio;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One incarnation's view of what the machine keeps of a device: registers and words of its type,
 * and for each queue the positions and the heads that were taken and not returned. Written through
 * by the device, so that nobody needs to be asked when it hangs.
 *
 * <p>Of the device that claimed it; a void one changes nothing.
 */
@ProviderType
public interface DeviceRecord {
  /**
   * What was kept last, with positions and heads in flight of each queue as they are now; null for
   * a device as after a reset.
   */
  @Nullable VirtioState kept();

  /**
   * Keeps registers and words of the type, in place of those before. Positions and heads in flight
   * are not taken from it: {@link #ring} has them.
   *
   * @return false when this record is void
   */
  boolean keep(VirtioState state);

  /** The device was reset: nothing is kept, no ring has a position. */
  void reset();

  /**
   * The kept side of a queue that is enabled, from its position.
   *
   * @param queue index
   * @param size entries
   * @param start position of both sides, as {@link VirtioState.QueueState#nextAvail}; heads in
   *     flight are forgotten
   */
  RingRecord ring(int queue, int size, int start);

  /**
   * The same device goes on in its own place, after its code failed: as a claim, but only of the
   * incarnation that is not void. What this one wrote is void from then on. To be called while
   * nobody is inside a section.
   *
   * @return the next record; null when this one is void, which takes nothing from who has claimed
   *     the device
   */
  @Nullable DeviceRecord renew();

  /** Whether another incarnation has claimed the device. */
  boolean isVoid();
}
