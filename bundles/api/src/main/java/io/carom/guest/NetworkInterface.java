package io.carom.guest;

import org.osgi.annotation.versioning.ProviderType;

/** A network interface in the guest, such as {@code eth0}. Thread-safe. */
@ProviderType
public interface NetworkInterface {
  /** Its name, such as {@code eth0}. */
  String name();

  /** The PCI address of its function, with domain; also its name for the DMA core. */
  String address();

  /** Its Ethernet address, such as {@code 02:ca:5e:00:00:01}. */
  String mac();

  /** Largest packet, bytes. */
  int mtu();

  /** Its IPv4 address and prefix, such as {@code 169.254.7.9/16}. */
  String ipv4();

  /** Pairs of queues in use. */
  int queuePairs();

  /** Whether the device says that the link is up. */
  boolean linkUp();

  /** Whether the device is usable. */
  boolean live();

  /** Counters since the interface appeared. */
  NetCounters counters();

  /**
   * Counters of an interface.
   *
   * @param txPackets packets that the device has taken
   * @param txBytes bytes of them, as frames
   * @param txDropped packets that found no room, or no device
   * @param rxPackets packets received
   * @param rxBytes bytes of them, as frames
   * @param rxDropped packets received that nobody wanted: for another station, address or port
   * @param rxErrors packets that were malformed: by the device, or on the way
   * @param mapFailures maps that failed, and were tried again
   * @param resets device resets by the driver
   */
  record NetCounters(
      long txPackets,
      long txBytes,
      long txDropped,
      long rxPackets,
      long rxBytes,
      long rxDropped,
      long rxErrors,
      long mapFailures,
      long resets) {}
}
