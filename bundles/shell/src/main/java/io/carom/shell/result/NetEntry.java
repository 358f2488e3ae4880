package io.carom.shell.result;

import io.carom.guest.NetworkInterface;
import io.carom.guest.NetworkInterface.NetCounters;

/**
 * A network interface of the guest.
 *
 * @param name interface
 * @param address PCI address
 * @param mac Ethernet address
 * @param ipv4 IPv4 address and prefix
 * @param mtu largest packet, bytes
 * @param queuePairs pairs of queues in use
 * @param linkUp whether the link is up
 * @param live whether the device is usable
 * @param txPackets packets sent
 * @param txBytes bytes of them
 * @param txDropped packets that were not sent
 * @param rxPackets packets received
 * @param rxBytes bytes of them
 * @param rxDropped packets that nobody wanted
 * @param rxErrors malformed packets
 * @param mapFailures maps that failed, and were tried again
 * @param resets device resets by the driver
 */
public record NetEntry(
    String name,
    String address,
    String mac,
    String ipv4,
    int mtu,
    int queuePairs,
    boolean linkUp,
    boolean live,
    long txPackets,
    long txBytes,
    long txDropped,
    long rxPackets,
    long rxBytes,
    long rxDropped,
    long rxErrors,
    long mapFailures,
    long resets) {
  /** Of an interface. */
  public static NetEntry of(final NetworkInterface net) {
    final NetCounters counters = net.counters();
    return new NetEntry(
        net.name(),
        net.address(),
        net.mac(),
        net.ipv4(),
        net.mtu(),
        net.queuePairs(),
        net.linkUp(),
        net.live(),
        counters.txPackets(),
        counters.txBytes(),
        counters.txDropped(),
        counters.rxPackets(),
        counters.rxBytes(),
        counters.rxDropped(),
        counters.rxErrors(),
        counters.mapFailures(),
        counters.resets());
  }
}
