package io.carom.benchmarks.update;

import io.carom.guest.Entropy;
import io.carom.guest.GuestKernel;
import java.time.Duration;
import java.util.Arrays;

/**
 * Reads of random bytes, one after another. Nobody knows what they are; bytes that the device did
 * not write show as those that stood there before, or as those of the read before.
 */
final class EntropyLoad implements DeviceLoad {
  private static final int BYTES = 256;
  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final int WORD = 16;

  private final Container container;
  private final String name;

  EntropyLoad(final Container container, final String name) {
    this.container = container;
    this.name = name;
  }

  @Override
  public String device() {
    return name;
  }

  @Override
  public LoadResult run(final long millis) throws InterruptedException {
    final GuestKernel guest = container.guest();
    byte[] before = new byte[BYTES];
    long verified = 0;
    long corrupt = 0;
    long longest = 0;
    long last = System.nanoTime();
    final long end = last + millis * 1_000_000;
    try {
      while (last - end < 0) {
        final byte[] now = new byte[BYTES];
        source(guest).read(now, DEADLINE);
        final long time = System.nanoTime();
        longest = Math.max(longest, time - last);
        last = time;
        if (repeats(now, before)) {
          corrupt++;
        }
        verified += BYTES;
        before = now;
      }
    } catch (final RuntimeException e) {
      final double pauseMs = (System.nanoTime() - last) / 1e6;
      return new LoadResult(verified, corrupt, 1, Math.max(pauseMs, longest / 1e6), e.getMessage());
    }
    return new LoadResult(verified, corrupt, 0, longest / 1e6, null);
  }

  private Entropy source(final GuestKernel guest) {
    return guest.entropySources().stream()
        .filter(source -> source.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("it is gone"));
  }

  /** Whether 16 bytes in a row are zero, or what they were: chance does that once in 2^128. */
  static boolean repeats(final byte[] now, final byte[] before) {
    final byte[] zeros = new byte[WORD];
    for (int at = 0; at < now.length; at += WORD) {
      if (Arrays.equals(now, at, at + WORD, zeros, 0, WORD)
          || Arrays.equals(now, at, at + WORD, before, at, at + WORD)) {
        return true;
      }
    }
    return false;
  }
}
