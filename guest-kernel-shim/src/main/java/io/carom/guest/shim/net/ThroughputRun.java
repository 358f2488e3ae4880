package io.carom.guest.shim.net;

import io.carom.guest.Network.ThroughputJob;
import io.carom.guest.Network.ThroughputResult;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A throughput workload: its flows, from the first datagram to the last that may still come. */
final class ThroughputRun {
  /** Datagrams under way over all flows: what the receiver's queue and backlog hold at least. */
  private static final int WINDOW = 192;

  private static final int LEAST_WINDOW = 8;
  private static final int MOST_WINDOW = 64;
  private static final long JOIN_MS = 5_000;
  private static final long QUIET_NS = TimeUnit.MILLISECONDS.toNanos(300);

  private final EthInterface from;
  private final EthInterface to;
  private final ThroughputJob job;
  private final int bytes;
  private final List<FlowSender> senders = new ArrayList<>();
  private final List<FlowReceiver> receivers = new ArrayList<>();
  private final List<Integer> fromPorts = new ArrayList<>();
  private final List<Integer> toPorts = new ArrayList<>();

  ThroughputRun(
      final EthInterface from, final EthInterface to, final ThroughputJob job, final int bytes) {
    this.from = from;
    this.to = to;
    this.job = job;
    this.bytes = bytes;
  }

  ThroughputResult run() throws InterruptedException {
    final int target = to.ipv4Address().address();
    final long station = from.resolve(target);
    final long failuresBefore = mapFailures();
    final int window = Math.clamp(WINDOW / job.jobs(), LEAST_WINDOW, MOST_WINDOW);
    final long most = job.datagrams() == 0 ? Long.MAX_VALUE : job.datagrams();
    // what is this run's alone: a late datagram of another one must not pass for ours
    final long run = job.seed() ^ System.nanoTime() << 20;
    try {
      for (int flow = 0; flow < job.jobs(); flow++) {
        final DatagramCodec codec = new DatagramCodec(run, flow, bytes);
        final FlowReceiver receiver = new FlowReceiver(to, codec, window / 4);
        final FlowSender sender =
            new FlowSender(from, codec, flow, bytes, window, most, station, target);
        fromPorts.add(from.bind(sender));
        toPorts.add(to.bind(receiver));
        sender.ports(fromPorts.getLast(), toPorts.getLast());
        receiver.answerTo(fromPorts.getLast());
        senders.add(sender);
        receivers.add(receiver);
      }
      final long start = System.nanoTime();
      final long taken = drive(start);
      settle();
      return result(taken, mapFailures() - failuresBefore);
    } finally {
      fromPorts.forEach(from::unbind);
      toPorts.forEach(to::unbind);
    }
  }

  private long mapFailures() {
    return from.counters().mapFailures() + to.counters().mapFailures();
  }

  /** Runs the senders; how long that took, ns. */
  private long drive(final long start) throws InterruptedException {
    final List<Thread> threads = new ArrayList<>();
    try {
      for (int flow = 0; flow < senders.size(); flow++) {
        threads.add(
            Thread.ofPlatform()
                .daemon()
                .name("guest-net-" + from.name() + "-" + flow)
                .start(senders.get(flow)));
      }
      final long end = start + TimeUnit.MILLISECONDS.toNanos(job.runtimeMs());
      for (final Thread thread : threads) {
        final long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (left > 0) {
          thread.join(left);
        }
      }
    } finally {
      senders.forEach(FlowSender::stop);
    }
    final long taken = System.nanoTime() - start;
    for (final Thread thread : threads) {
      thread.join(JOIN_MS);
    }
    return taken;
  }

  /** Waits for what is under way, until all of it is there or nothing has come for a while. */
  private void settle() throws InterruptedException {
    long before = -1;
    long since = System.nanoTime();
    while (received() < sent() && from.live() && System.nanoTime() - since < QUIET_NS) {
      if (received() != before) {
        before = received();
        since = System.nanoTime();
      }
      Thread.sleep(1);
    }
  }

  private long sent() {
    return senders.stream().mapToLong(FlowSender::sent).sum();
  }

  private long received() {
    return receivers.stream().mapToLong(FlowReceiver::received).sum();
  }

  private ThroughputResult result(final long takenNs, final long mapFailures) {
    final long received = received();
    final long corrupt = receivers.stream().mapToLong(FlowReceiver::corrupt).sum();
    @Nullable String first = null;
    for (final FlowReceiver receiver : receivers) {
      first = first == null ? receiver.firstCorruption() : first;
    }
    final double seconds = Math.max(1, takenNs) / 1e9;
    final long verified = received * bytes;
    return new ThroughputResult(
        from.name(),
        to.name(),
        bytes,
        job.jobs(),
        TimeUnit.NANOSECONDS.toMillis(takenNs),
        sent(),
        received,
        Math.max(0, sent() - received),
        receivers.stream().mapToLong(FlowReceiver::reordered).sum(),
        receivers.stream().mapToLong(FlowReceiver::duplicated).sum(),
        corrupt,
        verified,
        received / seconds,
        verified / seconds / (1 << 20),
        senders.stream().mapToLong(FlowSender::stalls).sum(),
        mapFailures,
        first,
        job.seed());
  }
}
