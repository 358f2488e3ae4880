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
 * @param state {@code READY}, {@code GRACE} or {@code DRAINING}
 * @param live old mappings that are still alive
 * @param ageMs milliseconds since it began
 * @param deadlineMs milliseconds until the drain deadline, negative when past
 * @param policy what happens then
 * @param oldest the oldest of the old mappings, at most 8
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
    List<MappingInfo> oldest) {
  /** Copies the list. */
  public TransitionInfo {
    oldest = List.copyOf(oldest);
  }
}
