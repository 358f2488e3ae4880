package io.carom.guest.shim.net;

/** Layouts of Ethernet, ARP, IPv4, ICMP and UDP, as offsets of a frame, and what fills them in. */
final class Ipv4 {
  static final int ETHER_TARGET = 0;
  static final int ETHER_SOURCE = 6;
  static final int ETHER_TYPE = 12;
  static final int TYPE_IPV4 = 0x0800;
  static final int TYPE_ARP = 0x0806;

  static final int ARP = 14;
  static final int ARP_HARDWARE = ARP;
  static final int ARP_PROTOCOL = ARP + 2;
  static final int ARP_SIZES = ARP + 4;
  static final int ARP_OPERATION = ARP + 6;
  static final int ARP_SENDER_MAC = ARP + 8;
  static final int ARP_SENDER_IP = ARP + 14;
  static final int ARP_TARGET_MAC = ARP + 18;
  static final int ARP_TARGET_IP = ARP + 24;
  static final int ARP_FRAME = ARP + 28;
  static final int ARP_ETHERNET = 1;
  static final int ARP_SIZES_IPV4 = 0x0604;
  static final int ARP_REQUEST = 1;
  static final int ARP_REPLY = 2;

  static final int IP = 14;
  static final int IP_LENGTH = IP + 2;
  static final int IP_FRAGMENT = IP + 6;
  static final int IP_TTL = IP + 8;
  static final int IP_PROTOCOL = IP + 9;
  static final int IP_CHECKSUM = IP + 10;
  static final int IP_SOURCE = IP + 12;
  static final int IP_TARGET = IP + 16;
  static final int IP_HEADER = 20;
  static final int VERSION_AND_WORDS = 0x45;
  static final int FRAGMENT_MASK = 0x3fff;
  static final int PROTOCOL_ICMP = 1;
  static final int PROTOCOL_UDP = 17;

  /** Of a packet without options, which we send; others are found by their length. */
  static final int BODY = IP + IP_HEADER;

  static final int ICMP_CHECKSUM = 2;
  static final int ICMP_ID = 4;
  static final int ICMP_SEQUENCE = 6;
  static final int ICMP_HEADER = 8;
  static final int ICMP_ECHO_REPLY = 0;
  static final int ICMP_ECHO = 8;

  static final int UDP_TARGET = 2;
  static final int UDP_LENGTH = 4;
  static final int UDP_CHECKSUM = 6;
  static final int UDP_HEADER = 8;

  /** Bytes of an IPv4 packet around the data of an echo request or a datagram. */
  static final int OVERHEAD = IP_HEADER + UDP_HEADER;

  private static final int TTL = 64;
  private static final int DONT_FRAGMENT = 0x4000;
  private static final int ONES = 0xffff;

  private Ipv4() {}

  static void ethernet(final Packet packet, final long to, final long from, final int type) {
    packet.u48(ETHER_TARGET, to);
    packet.u48(ETHER_SOURCE, from);
    packet.u16(ETHER_TYPE, type);
  }

  static void arp(
      final Packet packet,
      final int operation,
      final long fromMac,
      final int fromIp,
      final long toMac,
      final int toIp) {
    packet.u16(ARP_HARDWARE, ARP_ETHERNET);
    packet.u16(ARP_PROTOCOL, TYPE_IPV4);
    packet.u16(ARP_SIZES, ARP_SIZES_IPV4);
    packet.u16(ARP_OPERATION, operation);
    packet.u48(ARP_SENDER_MAC, fromMac);
    packet.u32(ARP_SENDER_IP, fromIp);
    packet.u48(ARP_TARGET_MAC, toMac);
    packet.u32(ARP_TARGET_IP, toIp);
  }

  /**
   * Fills in a header without options.
   *
   * @param bytes of what follows it
   */
  static void header(
      final Packet packet, final int protocol, final int from, final int to, final int bytes) {
    packet.u16(IP, VERSION_AND_WORDS << 8);
    packet.u16(IP_LENGTH, IP_HEADER + bytes);
    packet.u16(IP + 4, 0);
    packet.u16(IP_FRAGMENT, DONT_FRAGMENT);
    packet.u8(IP_TTL, TTL);
    packet.u8(IP_PROTOCOL, protocol);
    packet.u16(IP_CHECKSUM, 0);
    packet.u32(IP_SOURCE, from);
    packet.u32(IP_TARGET, to);
    packet.u16(IP_CHECKSUM, ~packet.sum(IP, IP_HEADER, 0));
  }

  /** Completes the checksum of an ICMP message of a packet without options. */
  static void icmpChecksum(final Packet packet, final int bytes) {
    packet.u16(BODY + ICMP_CHECKSUM, 0);
    packet.u16(BODY + ICMP_CHECKSUM, ~packet.sum(BODY, bytes, 0));
  }

  /**
   * Fills in a UDP header and its checksum, or leaves that to the device.
   *
   * @param bytes of the data
   */
  static void udp(
      final Packet packet,
      final int fromPort,
      final int toPort,
      final int bytes,
      final boolean partial) {
    final int length = UDP_HEADER + bytes;
    packet.u16(BODY, fromPort);
    packet.u16(BODY + UDP_TARGET, toPort);
    packet.u16(BODY + UDP_LENGTH, length);
    final int pseudo = pseudo(packet, PROTOCOL_UDP, length);
    packet.u16(BODY + UDP_CHECKSUM, partial ? pseudo : 0);
    if (partial) {
      packet.leaveChecksum(BODY, UDP_CHECKSUM);
    } else {
      final int sum = ~packet.sum(BODY, length, pseudo) & ONES;
      packet.u16(BODY + UDP_CHECKSUM, sum == 0 ? ONES : sum); // 0 would mean none
    }
  }

  /** The sum of the pseudo header (RFC 768). */
  static int pseudo(final Packet packet, final int protocol, final int length) {
    return packet.sum(IP_SOURCE, 2 * Integer.BYTES, protocol + length);
  }
}
