package io.carom.guest.shim.net;

import org.jspecify.annotations.Nullable;

/**
 * The receiving end of a flow: checks each datagram, keeps account of the order, and tells the
 * sender now and then how far it is. Called on pairs' threads; the counts are guarded by this.
 *
 * <p>A datagram behind the newest counts as lost until it comes after all, late: the last {@value
 * #WINDOW} are remembered for that.
 */
final class FlowReceiver implements UdpHandler {
  static final int WINDOW = 4096;

  private final EthInterface at;
  private final DatagramCodec codec;
  private final int everyAck;
  private final Packet ack;
  private final long[] seen = new long[WINDOW / Long.SIZE];
  private volatile int senderPort;
  private long next;
  private long received;
  private long reordered;
  private long duplicated;
  private long corrupt;
  private @Nullable String firstCorruption;
  private int sinceAck;

  /**
   * A receiver.
   *
   * @param everyAck datagrams between two answers
   */
  FlowReceiver(final EthInterface at, final DatagramCodec codec, final int everyAck) {
    this.at = at;
    this.codec = codec;
    this.everyAck = everyAck;
    ack = at.packet();
  }

  /** Where answers go; before the first datagram. */
  void answerTo(final int port) {
    senderPort = port;
  }

  @Override
  public synchronized void datagram(
      final QueuePair pair, final Packet packet, final int data, final int bytes) {
    final String wrong = codec.check(packet, data, bytes);
    if (wrong != null) {
      corrupt++;
      if (firstCorruption == null) {
        firstCorruption = wrong;
      }
      return;
    }
    account(DatagramCodec.sequence(packet, data));
    sinceAck++;
    if (sinceAck >= everyAck) {
      sinceAck = 0;
      ack.u64(Ipv4.BODY + Ipv4.UDP_HEADER, next);
      at.sendUdp(
          ack,
          packet.u48(Ipv4.ETHER_SOURCE),
          packet.u32(Ipv4.IP_SOURCE),
          packet.u16(data - Ipv4.UDP_HEADER + Ipv4.UDP_TARGET),
          senderPort,
          Long.BYTES,
          pair.number(),
          0);
    }
  }

  private void account(final long sequence) {
    if (sequence >= next) {
      // what is passed over has not been seen
      for (long i = Math.max(next, sequence - WINDOW + 1); i <= sequence; i++) {
        mark(i, false);
      }
      next = sequence + 1;
    } else if (sequence < next - WINDOW || marked(sequence)) {
      duplicated++; // or later than anyone remembers
      return;
    } else {
      reordered++;
    }
    mark(sequence, true);
    received++;
  }

  private void mark(final long sequence, final boolean on) {
    final int bit = (int) (sequence % WINDOW);
    if (on) {
      seen[bit / Long.SIZE] |= 1L << bit;
    } else {
      seen[bit / Long.SIZE] &= ~(1L << bit);
    }
  }

  private boolean marked(final long sequence) {
    final int bit = (int) (sequence % WINDOW);
    return (seen[bit / Long.SIZE] & 1L << bit) != 0;
  }

  synchronized long received() {
    return received;
  }

  synchronized long reordered() {
    return reordered;
  }

  synchronized long duplicated() {
    return duplicated;
  }

  synchronized long corrupt() {
    return corrupt;
  }

  synchronized @Nullable String firstCorruption() {
    return firstCorruption;
  }
}
