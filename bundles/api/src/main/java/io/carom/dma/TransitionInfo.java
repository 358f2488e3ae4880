package io.carom.dma;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A swap that is going on.
 *
 * @param device device name
 * @param from strategy before
 * @param fromExtents kind of bounce memory before, or null
 * @param to strategy after
 * @param extents kind of bounce memory after, or null
 * @param state {@code READY}, {@code GRACE}, {@code DRAINING}, {@code ENDING} or {@code REVOKING}
 * @param live old mappings that are still alive
 * @param ageMs milliseconds since it began
 * @param deadlineMs milliseconds until the drain deadline, negative when past
 * @param policy what happens then
 * @param oldest the oldest of the old mappings, at most 8
 * @param fromGeneration generation number before
 * @param toGeneration generation number after, 0 while {@code READY}
 * @param cause as in {@link SwapReport}
 * @param ages old mappings by age, each in one row; rows without any are left out
 */
public record TransitionInfo(
    String device,
    String from,
    @Nullable ExtentKind fromExtents,
    String to,
    @Nullable ExtentKind extents,
    String state,
    long live,
    long ageMs,
    long deadlineMs,
    SwapPolicy policy,
    List<MappingInfo> oldest,
    int fromGeneration,
    int toGeneration,
    String cause,
    List<Age> ages) {
  /** Copies the lists. */
  public TransitionInfo {
    oldest = List.copyOf(oldest);
    ages = List.copyOf(ages);
  }

  /**
   * Old mappings of an age.
   *
   * @param fromMs age at least, milliseconds: 0, 1, 10, 100, 1000 or 10000
   * @param live how many
   */
  public record Age(long fromMs, long live) {}
}
