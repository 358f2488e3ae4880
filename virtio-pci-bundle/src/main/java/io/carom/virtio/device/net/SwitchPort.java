package io.carom.virtio.device.net;

/** What a switch sends frames to. Thread-safe. */
interface SwitchPort {
  /**
   * Takes a frame, or drops and counts it. Waits for nothing: the caller may be a thread of another
   * device, inside a bus section.
   *
   * @param frame to be copied before this returns
   */
  void deliver(Frame frame);
}
