package io.carom.dma.core.swap;

import io.carom.dma.MappingInfo;
import io.carom.dma.TransitionInfo;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.pool.Generation;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Shows the transitions that go on. */
public final class TransitionView {
  private static final long[] AGES_MS = {0, 1, 10, 100, 1_000, 10_000};
  private static final int OLDEST = 8;

  private final SwapControl control;
  private final Timing timing;

  /** Of a control. */
  public TransitionView(final SwapControl control, final Timing timing) {
    this.control = control;
    this.timing = timing;
  }

  /**
   * The transitions now.
   *
   * @param mappings live mappings of a device, oldest first
   */
  public List<TransitionInfo> now(final Function<DeviceDma, List<MappingInfo>> mappings) {
    final List<TransitionInfo> result = new ArrayList<>();
    final long now = timing.nanoTime();
    for (final Transition swap : control.running()) {
      // Once it is cancelled what it brought in drains, and goes to what was there before.
      final Transition.Drain drain = swap.drain();
      final Generation from = drain == null ? swap.from : drain.leaving();
      final Generation to = drain == null ? swap.to : drain.staying();
      final long ageMs = TimeUnit.NANOSECONDS.toMillis(now - swap.startNs);
      final long leftMs =
          drain == null
              ? swap.drainMs - ageMs
              : TimeUnit.NANOSECONDS.toMillis(drain.deadlineNs() - now);
      final List<MappingInfo> old =
          from == null
              ? List.of()
              : mappings.apply(swap.device).stream()
                  .filter(m -> m.generation() == from.number)
                  .toList();
      result.add(
          new TransitionInfo(
              swap.device.name(),
              Transition.nameOf(from),
              from == null ? null : from.extents(),
              to == null ? swap.toName() : Transition.nameOf(to),
              to == null ? swap.choice == null ? null : swap.choice.extents() : to.extents(),
              swap.state,
              from == null ? 0 : from.live(),
              ageMs,
              leftMs,
              swap.policy,
              old.stream().limit(OLDEST).toList(),
              from == null ? 0 : from.number,
              to == null ? 0 : to.number,
              swap.cause,
              ages(old)));
    }
    return result;
  }

  private static List<TransitionInfo.Age> ages(final List<MappingInfo> old) {
    final long[] live = new long[AGES_MS.length];
    for (final MappingInfo mapping : old) {
      int row = AGES_MS.length - 1;
      while (row > 0 && mapping.ageMs() < AGES_MS[row]) {
        row--;
      }
      live[row]++;
    }
    final List<TransitionInfo.Age> ages = new ArrayList<>();
    for (int row = 0; row < live.length; row++) {
      if (live[row] > 0) {
        ages.add(new TransitionInfo.Age(AGES_MS[row], live[row]));
      }
    }
    return ages;
  }
}
