package io.carom.guest.shim.net;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The sending end of a flow. No more than a window of datagrams is under way: the receiver's
 * answers move it on. When none comes for a while, what is under way is taken for lost, which the
 * receiver's account shows, and the window starts anew.
 */
final class FlowSender implements UdpHandler, Runnable {
  private static final long SEND_WAIT_NS = 200_000_000;
  private static final long STALL_NS = 100_000_000;
  private static final int DATA = Ipv4.BODY + Ipv4.UDP_HEADER;

  private final EthInterface from;
  private final DatagramCodec codec;
  private final int flow;
  private final int bytes;
  private final int window;
  private final long most;
  private final long station;
  private final int to;
  private final Packet packet;
  private volatile int fromPort;
  private volatile int toPort;
  private volatile long acknowledged;
  private volatile boolean stopped;
  private volatile boolean waiting;
  private volatile Thread thread = Thread.currentThread();
  private volatile long sent;
  private final AtomicLong stalls = new AtomicLong();

  /**
   * A sender.
   *
   * @param most datagrams to send
   * @param station of the receiver
   * @param to its address
   */
  FlowSender(
      final EthInterface from,
      final DatagramCodec codec,
      final int flow,
      final int bytes,
      final int window,
      final long most,
      final long station,
      final int to) {
    this.from = from;
    this.codec = codec;
    this.flow = flow;
    this.bytes = bytes;
    this.window = window;
    this.most = most;
    this.station = station;
    this.to = to;
    packet = from.packet();
  }

  void ports(final int own, final int receiver) {
    fromPort = own;
    toPort = receiver;
  }

  void stop() {
    stopped = true;
  }

  long sent() {
    return sent;
  }

  long stalls() {
    return stalls.get();
  }

  /** An answer: how far the receiver is. */
  @Override
  public void datagram(final QueuePair pair, final Packet of, final int at, final int length) {
    if (length < Long.BYTES) {
      return;
    }
    final long next = of.u64(at);
    if (next > acknowledged && next <= sent + 1) { // answers may overtake each other, and our count
      acknowledged = next;
      if (waiting) {
        LockSupport.unpark(thread);
      }
    }
  }

  @Override
  public void run() {
    thread = Thread.currentThread();
    long sequence = 0;
    long base = 0; // what the window starts at, acknowledged or given up
    while (!stopped && sequence < most && from.live()) {
      base = Math.max(base, acknowledged);
      if (sequence - base >= window && !await(base)) {
        base = sequence;
        stalls.incrementAndGet();
        continue;
      }
      if (stopped) {
        return;
      }
      codec.write(packet, DATA, sequence);
      if (from.sendUdp(packet, station, to, fromPort, toPort, bytes, flow, SEND_WAIT_NS)) {
        sequence++;
        sent = sequence;
      } else {
        LockSupport.parkNanos(STALL_NS / 100); // the device is being reset, or its link is down
      }
    }
  }

  /** Waits until the receiver is further; false when it was not in time. */
  private boolean await(final long base) {
    final long start = System.nanoTime();
    waiting = true;
    try {
      while (acknowledged <= base && !stopped) {
        final long left = STALL_NS - (System.nanoTime() - start);
        if (left <= 0) {
          return false;
        }
        LockSupport.parkNanos(this, left);
      }
      return true;
    } finally {
      waiting = false;
    }
  }
}
