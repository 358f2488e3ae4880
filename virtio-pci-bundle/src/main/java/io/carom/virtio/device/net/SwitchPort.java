package io.carom.virtio.device.net;

/** What a switch sends frames to. Thread-safe. */
interface SwitchPort {
  /** What {@link #station} says of a port that takes no frames. */
  long NO_STATION = -1;

  /**
   * Takes a frame, or drops and counts it. Waits for nothing: the caller may be a thread of another
   * device, inside a bus section.
   *
   * @param frame to be copied before this returns
   * @return false when it did neither, as its code is just being replaced
   */
  boolean deliver(Frame frame);

  /** Address of the station for which others wait while its code is replaced. */
  default long station() {
    return NO_STATION;
  }

  /** A station has come back: frames that were not forwarded may be now. Waits for nothing. */
  default void resumed() {}
}
