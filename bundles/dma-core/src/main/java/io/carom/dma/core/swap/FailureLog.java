package io.carom.dma.core.swap;

import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.map.Failures;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says why maps fail, off the map path: the first one of a device and reason at the next tick, when
 * what the pool says of itself is still true; from then on at most one line in a second, with how
 * many there were. Maps with NO_WARN are counted, but not spoken of. By the timer's thread only.
 */
final class FailureLog {
  /** Where it is written. */
  static final Logger LOG = LoggerFactory.getLogger("io.carom.dma.failures");

  private static final long EVERY_MS = 1_000;

  private final FailureText text;
  private final Consumer<String> out;
  private final Map<DeviceDma, Said> said = new ConcurrentHashMap<>();

  /** What was said of a device, for each code. */
  private static final class Said {
    private final long[] counts = new long[Failures.CODES];
    private final long[] nextMs = new long[Failures.CODES];
  }

  FailureLog(final FailureText text, final Consumer<String> out) {
    this.text = text;
    this.out = out;
  }

  /**
   * Looks at a device's counters and writes what is new.
   *
   * @param nowMs the core's clock
   */
  void check(final DeviceDma device, final long nowMs) {
    final Failures failures = device.mapper().failures();
    final Said before = said.computeIfAbsent(device, d -> new Said());
    for (int code = 0; code < Failures.CODES; code++) {
      final long now = failures.loud(code);
      final long count = now - before.counts[code];
      if (count > 0 && nowMs >= before.nextMs[code]) {
        before.counts[code] = now;
        before.nextMs[code] = nowMs + EVERY_MS;
        out.accept(device.name() + ": " + count + " maps failed: " + text.of(code, device));
      }
    }
  }

  /** Forgets a device. */
  void forget(final DeviceDma device) {
    said.remove(device);
  }
}
