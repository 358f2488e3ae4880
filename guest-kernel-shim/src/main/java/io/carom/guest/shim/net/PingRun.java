package io.carom.guest.shim.net;

import io.carom.guest.Network.PingJob;
import io.carom.guest.Network.PingResult;
import io.carom.guest.shim.block.KernelClock;

/**
 * Sends echo requests, one at a time, and compares the data of each answer with what was sent. An
 * answer that comes when its time is over is not looked at any more.
 */
final class PingRun implements EchoHandler {
  private static final long SEND_WAIT_NS = 1_000_000_000;

  /** How long an interface that went may be waited for. */
  private static final long LOOK_MS = 50;

  private static final int DATA = Ipv4.BODY + Ipv4.ICMP_HEADER;

  private final EthInterface from;
  private final PingJob job;
  private final int to;
  private final KernelClock clock;
  private final Packet packet;

  // Guarded by this: what is waited for, and what came.
  private int expected = -1;
  private boolean answered;
  private boolean corrupt;

  PingRun(final EthInterface from, final PingJob job, final int to, final KernelClock clock) {
    this.from = from;
    this.job = job;
    this.to = to;
    this.clock = clock;
    packet = from.packet();
  }

  PingResult run() throws InterruptedException {
    final long station = from.resolve(to);
    final int id = from.openEcho(this);
    try {
      return run(id, station);
    } finally {
      from.closeEcho(id);
    }
  }

  private PingResult run(final int id, final long station) throws InterruptedException {
    long received = 0;
    long wrong = 0;
    long least = Long.MAX_VALUE;
    long most = 0;
    long sum = 0;
    for (int i = 0; i < job.count(); i++) {
      final int sequence = i & 0xffff;
      expect(sequence);
      final long start = clock.nanoTime();
      fill(packet, sequence);
      from.sendEcho(packet, station, to, id, sequence, job.sizeBytes(), SEND_WAIT_NS);
      if (await()) {
        final long taken = clock.nanoTime() - start;
        least = Math.min(least, taken);
        most = Math.max(most, taken);
        sum += taken;
        received++;
      }
      wrong += takeCorrupt() ? 1 : 0;
      if (job.intervalMs() > 0 && i + 1 < job.count()) {
        Thread.sleep(job.intervalMs());
      }
    }
    final boolean any = received > 0;
    return new PingResult(
        from.name(),
        Ipv4Address.text(from.ipv4Address().address()),
        job.to(),
        Ipv4Address.text(to),
        job.count(),
        received,
        job.count() - received,
        wrong,
        any ? least / 1e3 : 0,
        any ? sum / 1e3 / received : 0,
        most / 1e3);
  }

  private void fill(final Packet of, final int sequence) {
    for (int i = 0; i < job.sizeBytes(); i++) {
      of.u8(DATA + i, pattern(sequence, i));
    }
  }

  private static int pattern(final int sequence, final int i) {
    return sequence * 31 + i * 7 + (i >>> 8) & 0xff;
  }

  private synchronized void expect(final int sequence) {
    expected = sequence;
    answered = false;
  }

  private synchronized boolean await() throws InterruptedException {
    final long deadline = System.nanoTime() + job.timeoutMs() * 1_000_000L;
    while (!answered && from.live()) {
      final long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        break;
      }
      wait(Math.min(left, LOOK_MS));
    }
    expected = -1;
    if (!answered && !from.live()) {
      throw new IllegalStateException(from.name() + " is gone, and an answer with it");
    }
    return answered;
  }

  private synchronized boolean takeCorrupt() {
    final boolean was = corrupt;
    corrupt = false;
    return was;
  }

  @Override
  public synchronized void reply(
      final int sequence, final Packet of, final int at, final int bytes) {
    if (sequence != expected) {
      return; // late, or twice
    }
    boolean right = bytes == job.sizeBytes();
    for (int i = 0; right && i < bytes; i++) {
      right = of.u8(at + i) == pattern(sequence, i);
    }
    if (right) {
      answered = true;
      notifyAll();
    } else {
      corrupt = true;
    }
  }
}
