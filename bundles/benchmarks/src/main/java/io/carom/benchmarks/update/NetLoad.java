package io.carom.benchmarks.update;

import io.carom.guest.GuestKernel;
import io.carom.guest.Network.ThroughputJob;
import io.carom.guest.Network.ThroughputResult;
import io.carom.guest.NetworkInterface;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * Datagrams from one interface to another, each with a number and known bytes. Its pause is seen
 * from the counter of received packets, which is looked at all the time: so it is exact to a
 * fraction of a millisecond.
 */
final class NetLoad implements DeviceLoad {
  private static final int DATAGRAM_BYTES = 1024;
  private static final int LOOK_NS = 100_000;

  private final Container container;
  private final String from;
  private final String to;
  private long seed;

  NetLoad(final Container container, final String from, final String to, final long seed) {
    this.container = container;
    this.from = from;
    this.to = to;
    this.seed = seed;
  }

  @Override
  public String device() {
    return to;
  }

  @Override
  public LoadResult run(final long millis) throws InterruptedException {
    seed++;
    final ThroughputJob job = new ThroughputJob(from, to, millis, DATAGRAM_BYTES, 1, 0, seed);
    final Callable<ThroughputResult> work = () -> container.network().throughput(job);
    final FutureTask<ThroughputResult> running = new FutureTask<>(work);
    Thread.ofPlatform().daemon().name("bench-net").start(running);
    final double pauseMs = watch(running, millis) / 1e6;
    try {
      final ThroughputResult result = running.get();
      return new LoadResult(
          result.verifiedBytes(),
          result.corrupt(),
          result.lost(),
          pauseMs,
          result.firstCorruption());
    } catch (final ExecutionException e) {
      return new LoadResult(0, 0, 1, pauseMs, String.valueOf(e.getCause()));
    }
  }

  /** The longest time in which nothing came while something was sent, nanoseconds. */
  private long watch(final FutureTask<?> running, final long millis) throws InterruptedException {
    final GuestKernel guest = container.guest();
    final long end = System.nanoTime() + millis * 1_000_000;
    long seen = received(guest);
    long last = 0;
    long longest = 0;
    while (!running.isDone()) {
      Thread.sleep(0, LOOK_NS);
      final long now = System.nanoTime();
      final long received = received(guest);
      if (received != seen) {
        longest = last == 0 ? 0 : Math.max(longest, now - last);
        last = now;
        seen = received;
      }
    }
    return last == 0 ? 0 : Math.max(longest, end - last); // silence to the end is one, too
  }

  private long received(final GuestKernel guest) {
    return guest.networkInterfaces().stream()
        .filter(each -> each.name().equals(to))
        .mapToLong(each -> each.counters().rxPackets())
        .findFirst()
        .orElse(-1);
  }

  /** The name of an interface, by its Ethernet address, or null. */
  static @Nullable String named(final GuestKernel guest, final String mac) {
    return guest.networkInterfaces().stream()
        .filter(each -> each.live() && each.mac().equalsIgnoreCase(mac))
        .map(NetworkInterface::name)
        .findFirst()
        .orElse(null);
  }
}
