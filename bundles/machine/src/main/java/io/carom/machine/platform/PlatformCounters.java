package io.carom.machine.platform;

/**
 * What the stages did since the machine started; all in lines of 64 bytes.
 *
 * @param cleaned lines written back by maintenance
 * @param invalidated lines dropped by maintenance
 * @param refilled lines filled by speculation
 * @param evicted dirty lines written back by themselves
 * @param cpuLinesLost dirty lines that were dropped: what a CPU had written is lost
 * @param deviceLinesLost lines written back over what a device had written. Both are a driver's
 *     mistake: a sync that it forgot, or a buffer that shares a line with something else
 * @param queued lines that entered the write queue
 * @param overflowed lines that left it because it was full
 */
public record PlatformCounters(
    long cleaned,
    long invalidated,
    long refilled,
    long evicted,
    long cpuLinesLost,
    long deviceLinesLost,
    long queued,
    long overflowed) {
  /** Where there are no caches. */
  static final PlatformCounters NONE = new PlatformCounters(0, 0, 0, 0, 0, 0, 0, 0);
}
