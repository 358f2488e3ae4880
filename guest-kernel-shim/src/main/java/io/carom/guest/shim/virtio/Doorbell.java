package io.carom.guest.shim.virtio;

import io.carom.memory.SystemBus;

/**
 * Where and how a queue tells the device that chains are available (virtio 1.4, section Available
 * Buffer Notifications): 16 bits that name the queue, or with NOTIFICATION_DATA 32 bits that also
 * say where the ring is. With NOTIF_CONFIG_DATA the device has chosen how it is named.
 *
 * @param bus stores
 * @param address guest-physical address of the doorbell
 * @param value names the queue, 16 bits
 * @param withData whether NOTIFICATION_DATA was negotiated
 */
public record Doorbell(SystemBus bus, long address, int value, boolean withData) {
  private static final int WIDTH = 2;
  private static final int WIDTH_WITH_DATA = 4;

  /** Bytes of a notification. */
  public static int width(final boolean withData) {
    return withData ? WIDTH_WITH_DATA : WIDTH;
  }

  /**
   * Rings.
   *
   * @param next where the next chain will go, 16 bits: {@code next_off} in bits 0..14 and {@code
   *     next_wrap} in bit 15
   */
  void ring(final int next) {
    if (withData) {
      bus.write(address, WIDTH_WITH_DATA, (next & 0xffffL) << 16 | value);
    } else {
      bus.write(address, WIDTH, value);
    }
  }
}
