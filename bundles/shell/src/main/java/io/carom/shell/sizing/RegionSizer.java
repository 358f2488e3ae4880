package io.carom.shell.sizing;

/** Works out how much of a region a device needs, by both ways to hand it out. */
public final class RegionSizer {
  /** Times the peak in flight that are recommended: a pool that is more than half free has runs. */
  static final int HEADROOM = 2;

  /** Unit of what is recommended. */
  static final long MIB = 1 << 20;

  private RegionSizer() {}

  /** Both answers for a device. */
  public static RegionSize size(final DeviceLoad load) {
    return new RegionSize(
        load.queues(),
        load.queueSizeEntries(),
        load.depth(),
        load.requestsInFlight(),
        load.requestBytes(),
        load.minAlignBytes(),
        load.segments(),
        load.indirect(),
        load.net(),
        SlotAnswer.of(load),
        PageAnswer.of(load));
  }
}
