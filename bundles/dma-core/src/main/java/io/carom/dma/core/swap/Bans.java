package io.carom.dma.core.swap;

import io.carom.dma.core.device.DeviceDma;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which strategies devices do without, as they have misbehaved there: until the service comes anew,
 * or a user asks for it. Other devices may have them. Thread-safe.
 */
final class Bans {
  private final Map<DeviceDma, Set<StrategyRef>> bans = new ConcurrentHashMap<>();

  Bans() {}

  void ban(final DeviceDma device, final StrategyRef ref) {
    bans.compute(
        device,
        (d, before) -> {
          final Set<StrategyRef> next = before == null ? new HashSet<>() : new HashSet<>(before);
          next.add(ref);
          return Set.copyOf(next);
        });
  }

  /** What a device does without. */
  Set<StrategyRef> of(final DeviceDma device) {
    return bans.getOrDefault(device, Set.of());
  }

  /** A user asks for it. */
  void lift(final DeviceDma device, final StrategyRef ref) {
    bans.computeIfPresent(device, (d, before) -> without(before, ref.id()));
  }

  /** The service came anew. */
  void lift(final long serviceId) {
    bans.replaceAll((device, before) -> without(before, serviceId));
  }

  private static Set<StrategyRef> without(final Set<StrategyRef> before, final long serviceId) {
    final Set<StrategyRef> next = new HashSet<>(before);
    next.removeIf(ref -> ref.id() == serviceId);
    return Set.copyOf(next);
  }

  void forget(final DeviceDma device) {
    bans.remove(device);
  }
}
