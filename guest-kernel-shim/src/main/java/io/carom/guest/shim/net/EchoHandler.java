package io.carom.guest.shim.net;

/** Takes the answers to echo requests of an identifier, on a pair's thread. Never waits. */
@FunctionalInterface
interface EchoHandler {
  /**
   * An answer came.
   *
   * @param sequence its number
   * @param at where its data begin, in the frame
   * @param bytes of its data
   */
  void reply(int sequence, Packet packet, int at, int bytes);
}
