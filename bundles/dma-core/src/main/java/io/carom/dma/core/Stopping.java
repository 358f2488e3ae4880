package io.carom.dma.core;

import io.carom.dma.MappingInfo;
import io.carom.dma.core.device.DeviceDma;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * What the stop of a core waits for: mappings that end, and memory that comes back. Bounded by a
 * deadline; what holds it up then is named, and left as it is: unmaps need no threads of the core.
 */
final class Stopping {
  private static final int MOST_NAMED = 8;
  private static final long PAUSE_NS = 1_000_000;

  private final long deadlineNs;

  /** A stop that begins now. */
  Stopping(final long milliseconds) {
    deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(milliseconds);
  }

  /** What is left of the time, milliseconds. */
  long leftMs() {
    return Math.max(0, TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime()));
  }

  /** Waits until something is so, or the deadline; whether it is. */
  boolean await(final BooleanSupplier condition, final long mostMs) {
    final long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.min(mostMs, leftMs()));
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end >= 0 || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(this, PAUSE_NS);
    }
    return true;
  }

  /** Waits for the mappings of devices; one line for each that has some at the deadline. */
  List<String> drain(
      final List<DeviceDma> devices, final Function<DeviceDma, List<MappingInfo>> mappings) {
    await(() -> devices.stream().allMatch(device -> device.liveMappings() == 0), Long.MAX_VALUE);
    final List<String> holding = new ArrayList<>();
    for (final DeviceDma device : devices) {
      final long live = device.liveMappings();
      if (live > 0) {
        holding.add(line(device.name(), live, mappings.apply(device)));
      }
    }
    return holding;
  }

  private static String line(
      final String device, final long live, final List<MappingInfo> oldestFirst) {
    final StringBuilder text = new StringBuilder(device);
    text.append(" holds ").append(live).append(" mappings:");
    for (int i = 0; i < Math.min(MOST_NAMED, oldestFirst.size()); i++) {
      final MappingInfo mapping = oldestFirst.get(i);
      text.append(i == 0 ? " " : ", ")
          .append(mapping.busAddress())
          .append(' ')
          .append(mapping.sizeBytes())
          .append(" bytes ")
          .append(mapping.direction())
          .append(' ')
          .append(mapping.ageMs())
          .append(" ms old");
    }
    return oldestFirst.size() > MOST_NAMED ? text.append(", and more").toString() : text.toString();
  }
}
