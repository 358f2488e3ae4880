package io.carom.guest.shim.net;

import io.carom.guest.Network;
import io.carom.guest.NetworkInterface;
import io.carom.guest.shim.block.KernelClock;
import java.util.List;

/** The network stack as others see it: checks what is asked for, and does it. Thread-safe. */
public final class NetworkService implements Network {
  private static final int MOST_MS = 3_600_000;

  private final InterfaceRegistry interfaces;
  private final KernelClock clock;

  /** The service of a guest. */
  public NetworkService(final InterfaceRegistry interfaces, final KernelClock clock) {
    this.interfaces = interfaces;
    this.clock = clock;
  }

  private EthInterface find(final String name) {
    return interfaces.find(name).orElseThrow(() -> new IllegalArgumentException(unknown(name)));
  }

  private String unknown(final String name) {
    final List<String> names = interfaces.all().stream().map(EthInterface::name).toList();
    return "there is no interface '"
        + name
        + "': "
        + (names.isEmpty()
            ? "there are none; add a device with device:add net"
            : "there are " + String.join(", ", names));
  }

  @Override
  public NetworkInterface address(final String name, final String address) {
    final EthInterface to = find(name);
    final Ipv4Address wanted = Ipv4Address.parse(address);
    for (final EthInterface other : interfaces.all()) {
      if (other != to && other.ipv4Address().address() == wanted.address()) {
        throw new IllegalArgumentException(
            "address " + address + " is that of " + other.name() + ": choose another");
      }
    }
    to.ipv4(wanted);
    return to;
  }

  @Override
  public PingResult ping(final PingJob job) throws InterruptedException {
    final EthInterface from = find(job.from());
    final Integer host = Ipv4Address.host(job.to());
    final int to = host == null ? find(job.to()).ipv4Address().address() : host;
    if (to == from.ipv4Address().address()) {
      throw new IllegalArgumentException(
          job.to() + " is " + from.name() + " itself: name another interface or address");
    }
    check("count", job.count(), 1, PingJob.MOST);
    check("size", job.sizeBytes(), 0, from.mtu() - Ipv4.OVERHEAD);
    check("interval", job.intervalMs(), 0, MOST_MS);
    check("timeout", job.timeoutMs(), 1, MOST_MS);
    return new PingRun(from, job, to, clock).run();
  }

  @Override
  public ThroughputResult throughput(final ThroughputJob job) throws InterruptedException {
    final EthInterface from = find(job.from());
    final EthInterface to = find(job.to());
    if (from == to) {
      throw new IllegalArgumentException(
          "from " + job.from() + " to itself: name another interface");
    }
    final int most = Math.min(from.mtu(), to.mtu()) - Ipv4.OVERHEAD;
    final int bytes = job.sizeBytes() == 0 ? most : job.sizeBytes();
    check("size", bytes, ThroughputJob.LEAST_BYTES, most);
    check("jobs", job.jobs(), 1, ThroughputJob.MOST_JOBS);
    check("runtime", job.runtimeMs(), 1, MOST_MS);
    check("datagrams", job.datagrams(), 0, Long.MAX_VALUE);
    return new ThroughputRun(from, to, job, bytes).run();
  }

  private static void check(
      final String what, final long value, final long least, final long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(what + " " + value + " is not in " + least + ".." + most);
    }
  }
}
