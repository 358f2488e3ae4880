package io.carom.guest.shim.net;

/** Takes the datagrams of a port, on the thread of the pair that received them. Never waits. */
@FunctionalInterface
interface UdpHandler {
  /**
   * A datagram came, whole and for this port.
   *
   * @param at where its data begin, in the frame
   * @param bytes of its data
   */
  void datagram(QueuePair pair, Packet packet, int at, int bytes);
}
