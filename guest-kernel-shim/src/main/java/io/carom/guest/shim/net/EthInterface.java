package io.carom.guest.shim.net;

import io.carom.guest.NetworkInterface;
import io.carom.virtio.NetDescriptor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An interface: its queues and what of IPv4 happens on it (RFC 791, 792, 826, 768). Answers ARP and
 * echo requests for its own address, and hands out what comes for a port or an echo identifier.
 * Thread-safe.
 *
 * <p>Packets are bounded by the frame that they came in: every length that a packet claims is
 * compared with what is there before it is used. What does not fit is an error and is counted; what
 * is not for us is dropped and counted.
 */
final class EthInterface implements NetworkInterface {
  private static final int FIRST_PORT = 49_152;
  private static final int PORTS = 0x1_0000 - FIRST_PORT;
  private static final long BROADCAST = 0xffff_ffff_ffffL;
  private static final long ARP_WAIT_MS = 1_000;
  private static final int ARP_TRIES = 3;
  private static final int MAC_BITS = 48;

  private final int number;
  private final String address;
  private final long mac;
  private final int mtu;
  private final List<QueuePair> pairs;
  private final boolean partialChecksums;
  private final NetStatistics statistics;
  private final ArpTable stations = new ArpTable();
  private final Map<Integer, UdpHandler> ports = new ConcurrentHashMap<>();
  private final Map<Integer, EchoHandler> echoes = new ConcurrentHashMap<>();
  private final AtomicInteger nextPort = new AtomicInteger();
  private final AtomicInteger nextEcho = new AtomicInteger();
  private volatile Ipv4Address ipv4;
  private volatile boolean linkUp = true;
  private volatile boolean live = true;

  EthInterface(
      final int number,
      final String address,
      final long mac,
      final int mtu,
      final List<QueuePair> pairs,
      final boolean partialChecksums,
      final Ipv4Address ipv4,
      final NetStatistics statistics) {
    this.number = number;
    this.address = address;
    this.mac = mac;
    this.mtu = mtu;
    this.pairs = pairs;
    this.partialChecksums = partialChecksums;
    this.ipv4 = ipv4;
    this.statistics = statistics;
  }

  int number() {
    return number;
  }

  @Override
  public String name() {
    return "eth" + number;
  }

  @Override
  public String address() {
    return address;
  }

  @Override
  public String mac() {
    final StringBuilder text = new StringBuilder();
    for (int shift = MAC_BITS - 8; shift >= 0; shift -= 8) {
      text.append(String.format(Locale.ROOT, shift == 0 ? "%02x" : "%02x:", mac >>> shift & 0xff));
    }
    return text.toString();
  }

  @Override
  public int mtu() {
    return mtu;
  }

  @Override
  public String ipv4() {
    return ipv4.toString();
  }

  Ipv4Address ipv4Address() {
    return ipv4;
  }

  void ipv4(final Ipv4Address of) {
    ipv4 = of;
    stations.forget();
  }

  @Override
  public int queuePairs() {
    return pairs.size();
  }

  @Override
  public boolean linkUp() {
    return linkUp;
  }

  void linkUp(final boolean up) {
    linkUp = up;
  }

  @Override
  public boolean live() {
    return live;
  }

  void end() {
    live = false;
  }

  @Override
  public NetCounters counters() {
    return statistics.counters();
  }

  // ---- sending

  /** A packet for this interface's frames. */
  Packet packet() {
    return new Packet(NetDescriptor.mostFrameBytes(mtu));
  }

  /** Sends a packet on the pair of a flow; one that finds the link down is dropped. */
  boolean send(final int flow, final Packet packet, final long waitNs) {
    if (!live || !linkUp) {
      statistics.txDropped.increment();
      return false;
    }
    return pairs.get(flow % pairs.size()).send(packet, waitNs);
  }

  /** Sends a datagram whose data are in the packet, behind where the headers come to be. */
  boolean sendUdp(
      final Packet packet,
      final long toMac,
      final int to,
      final int fromPort,
      final int toPort,
      final int bytes,
      final int flow,
      final long waitNs) {
    packet.start(Ipv4.BODY + Ipv4.UDP_HEADER + bytes);
    Ipv4.ethernet(packet, toMac, mac, Ipv4.TYPE_IPV4);
    Ipv4.header(packet, Ipv4.PROTOCOL_UDP, ipv4.address(), to, Ipv4.UDP_HEADER + bytes);
    Ipv4.udp(packet, fromPort, toPort, bytes, partialChecksums);
    return send(flow, packet, waitNs);
  }

  /** Sends an echo request whose data are in the packet. */
  boolean sendEcho(
      final Packet packet,
      final long toMac,
      final int to,
      final int id,
      final int sequence,
      final int bytes,
      final long waitNs) {
    packet.start(Ipv4.BODY + Ipv4.ICMP_HEADER + bytes);
    Ipv4.ethernet(packet, toMac, mac, Ipv4.TYPE_IPV4);
    Ipv4.header(packet, Ipv4.PROTOCOL_ICMP, ipv4.address(), to, Ipv4.ICMP_HEADER + bytes);
    packet.u16(Ipv4.BODY, Ipv4.ICMP_ECHO << 8);
    packet.u16(Ipv4.BODY + Ipv4.ICMP_ID, id);
    packet.u16(Ipv4.BODY + Ipv4.ICMP_SEQUENCE, sequence);
    Ipv4.icmpChecksum(packet, Ipv4.ICMP_HEADER + bytes);
    return send(0, packet, waitNs);
  }

  /**
   * Finds the station of an address.
   *
   * @throws IllegalArgumentException when it is not on this network, or does not answer
   */
  long resolve(final int to) throws InterruptedException {
    final Ipv4Address own = ipv4;
    if (!own.reaches(to)) {
      throw new IllegalArgumentException(
          Ipv4Address.text(to)
              + " is not on the network of "
              + name()
              + " ("
              + own
              + "): give both ends addresses of one network with net:ip");
    }
    final Packet request = packet();
    for (int i = 0; i < ARP_TRIES; i++) {
      final long known = stations.await(to, i == 0 ? 0 : ARP_WAIT_MS);
      if (known >= 0) {
        return known;
      }
      sendArp(request, 0, BROADCAST, Ipv4.ARP_REQUEST, 0, to);
    }
    final long found = stations.await(to, ARP_WAIT_MS);
    if (found < 0) {
      throw new IllegalArgumentException(
          "nobody on the segment of "
              + name()
              + " answers for "
              + Ipv4Address.text(to)
              + ": see net:list and net:link");
    }
    return found;
  }

  private void sendArp(
      final Packet packet,
      final int flow,
      final long toMac,
      final int operation,
      final long targetMac,
      final int to) {
    packet.start(Ipv4.ARP_FRAME);
    Ipv4.ethernet(packet, toMac, mac, Ipv4.TYPE_ARP);
    Ipv4.arp(packet, operation, mac, ipv4.address(), targetMac, to);
    send(flow, packet, 0);
  }

  // ---- receiving

  /** Binds a free port. */
  int bind(final UdpHandler handler) {
    for (int i = 0; i < PORTS; i++) {
      final int port = FIRST_PORT + Math.floorMod(nextPort.getAndIncrement(), PORTS);
      if (ports.putIfAbsent(port, handler) == null) {
        return port;
      }
    }
    throw new IllegalStateException(name() + ": all ports are in use");
  }

  void unbind(final int port) {
    ports.remove(port);
  }

  /** Takes an identifier for echo requests. */
  int openEcho(final EchoHandler handler) {
    int id = nextEcho.incrementAndGet() & 0xffff;
    while (echoes.putIfAbsent(id, handler) != null) {
      id = nextEcho.incrementAndGet() & 0xffff; // far fewer are in use than there are
    }
    return id;
  }

  void closeEcho(final int id) {
    echoes.remove(id);
  }

  /** A packet came in. On the pair's thread, which owns the packet and may use it for an answer. */
  void received(final QueuePair pair, final Packet packet) {
    final long to = packet.u48(Ipv4.ETHER_TARGET);
    if (to != mac && to != BROADCAST) {
      statistics.rxDropped.increment(); // a switch floods what it does not know
      return;
    }
    final boolean fine =
        switch (packet.u16(Ipv4.ETHER_TYPE)) {
          case Ipv4.TYPE_ARP -> arp(pair, packet);
          case Ipv4.TYPE_IPV4 -> ipv4(pair, packet);
          default -> unwanted();
        };
    if (!fine) {
      statistics.rxErrors.increment();
    }
  }

  private boolean unwanted() {
    statistics.rxDropped.increment();
    return true;
  }

  private boolean arp(final QueuePair pair, final Packet packet) {
    if (packet.length < Ipv4.ARP_FRAME
        || packet.u16(Ipv4.ARP_HARDWARE) != Ipv4.ARP_ETHERNET
        || packet.u16(Ipv4.ARP_PROTOCOL) != Ipv4.TYPE_IPV4
        || packet.u16(Ipv4.ARP_SIZES) != Ipv4.ARP_SIZES_IPV4) {
      return false;
    }
    if (packet.u32(Ipv4.ARP_TARGET_IP) != ipv4.address()) {
      return unwanted();
    }
    final long sender = packet.u48(Ipv4.ARP_SENDER_MAC);
    final int address = packet.u32(Ipv4.ARP_SENDER_IP);
    stations.learn(address, sender);
    if (packet.u16(Ipv4.ARP_OPERATION) == Ipv4.ARP_REQUEST) {
      sendArp(packet, pair.number(), sender, Ipv4.ARP_REPLY, sender, address);
    }
    return true;
  }

  private boolean ipv4(final QueuePair pair, final Packet packet) {
    final int left = packet.length - Ipv4.IP;
    if (left < Ipv4.IP_HEADER || packet.u8(Ipv4.IP) >>> 4 != 4) {
      return false;
    }
    final int header = 4 * (packet.u8(Ipv4.IP) & 0xf);
    final int total = packet.u16(Ipv4.IP_LENGTH);
    if (header < Ipv4.IP_HEADER
        || total < header
        || total > left
        || packet.sum(Ipv4.IP, header, 0) != 0xffff) {
      return false;
    }
    if (packet.u32(Ipv4.IP_TARGET) != ipv4.address()
        || (packet.u16(Ipv4.IP_FRAGMENT) & Ipv4.FRAGMENT_MASK) != 0) {
      return unwanted(); // fragments too: nothing that we run sends any
    }
    return switch (packet.u8(Ipv4.IP_PROTOCOL)) {
      case Ipv4.PROTOCOL_ICMP -> icmp(pair, packet, Ipv4.IP + header, total - header);
      case Ipv4.PROTOCOL_UDP -> udp(pair, packet, Ipv4.IP + header, total - header);
      default -> unwanted();
    };
  }

  private boolean icmp(final QueuePair pair, final Packet packet, final int at, final int bytes) {
    if (bytes < Ipv4.ICMP_HEADER || packet.sum(at, bytes, 0) != 0xffff) {
      return false;
    }
    switch (packet.u8(at)) {
      case Ipv4.ICMP_ECHO -> answer(pair, packet, at, bytes);
      case Ipv4.ICMP_ECHO_REPLY -> {
        final EchoHandler handler = echoes.get(packet.u16(at + Ipv4.ICMP_ID));
        if (handler == null) {
          return unwanted();
        }
        handler.reply(
            packet.u16(at + Ipv4.ICMP_SEQUENCE),
            packet,
            at + Ipv4.ICMP_HEADER,
            bytes - Ipv4.ICMP_HEADER);
      }
      default -> unwanted();
    }
    return true;
  }

  /** Answers an echo request in place; options are not sent back. */
  private void answer(final QueuePair pair, final Packet packet, final int at, final int bytes) {
    final long toMac = packet.u48(Ipv4.ETHER_SOURCE);
    final int to = packet.u32(Ipv4.IP_SOURCE);
    System.arraycopy(
        packet.bytes, Packet.FRAME + at, packet.bytes, Packet.FRAME + Ipv4.BODY, bytes);
    packet.start(Ipv4.BODY + bytes);
    Ipv4.ethernet(packet, toMac, mac, Ipv4.TYPE_IPV4);
    Ipv4.header(packet, Ipv4.PROTOCOL_ICMP, ipv4.address(), to, bytes);
    packet.u8(Ipv4.BODY, Ipv4.ICMP_ECHO_REPLY);
    Ipv4.icmpChecksum(packet, bytes);
    send(pair.number(), packet, 0);
  }

  private boolean udp(final QueuePair pair, final Packet packet, final int at, final int bytes) {
    if (bytes < Ipv4.UDP_HEADER) {
      return false;
    }
    final int length = packet.u16(at + Ipv4.UDP_LENGTH);
    if (length < Ipv4.UDP_HEADER || length > bytes) {
      return false;
    }
    if (!packet.checked
        && packet.u16(at + Ipv4.UDP_CHECKSUM) != 0
        && packet.sum(at, length, Ipv4.pseudo(packet, Ipv4.PROTOCOL_UDP, length)) != 0xffff) {
      return false;
    }
    final UdpHandler handler = ports.get(packet.u16(at + Ipv4.UDP_TARGET));
    if (handler == null) {
      return unwanted();
    }
    handler.datagram(pair, packet, at + Ipv4.UDP_HEADER, length - Ipv4.UDP_HEADER);
    return true;
  }
}
