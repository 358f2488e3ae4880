package io.carom.virtio;

/**
 * The common configuration structure (virtio 1.4, section Common configuration structure layout),
 * little-endian; 64-bit fields are two 32-bit halves, low first.
 *
 * <pre>
 *  0x00 │ device_feature_select  │ device_feature        │
 *  0x08 │ driver_feature_select  │ driver_feature        │
 *  0x10 │ config_msix_vector │ num_queues                │
 *  0x14 │ device_status │ config_generation │ queue_select│
 *  0x18 │ queue_size │ queue_msix_vector                 │
 *  0x1c │ queue_enable │ queue_notify_off                │
 *  0x20 │ queue_desc (64)                                │
 *  0x28 │ queue_driver (64)                              │
 *  0x30 │ queue_device (64)                              │
 *  0x38 │ queue_notif_config_data │ queue_reset          │
 *  0x3c │ admin_queue_index │ admin_queue_num            │
 * </pre>
 */
public final class CommonCfgDescriptor {
  /** u32: which 32 device feature bits {@link #DEVICE_FEATURE} shows. */
  public static final int DEVICE_FEATURE_SELECT = 0x00;

  /** u32, read-only: device feature bits. */
  public static final int DEVICE_FEATURE = 0x04;

  /** u32: which 32 driver feature bits {@link #DRIVER_FEATURE} shows. */
  public static final int DRIVER_FEATURE_SELECT = 0x08;

  /** u32: driver feature bits. */
  public static final int DRIVER_FEATURE = 0x0c;

  /** u16: MSI-X vector of configuration changes. */
  public static final int CONFIG_MSIX_VECTOR = 0x10;

  /** u16, read-only: number of queues. */
  public static final int NUM_QUEUES = 0x12;

  /** u8: device status. */
  public static final int DEVICE_STATUS = 0x14;

  /** u8, read-only: changes when the configuration has. */
  public static final int CONFIG_GENERATION = 0x15;

  /** u16: which queue the fields below show. */
  public static final int QUEUE_SELECT = 0x16;

  /** u16: number of entries. */
  public static final int QUEUE_SIZE = 0x18;

  /** u16: MSI-X vector of the queue. */
  public static final int QUEUE_MSIX_VECTOR = 0x1a;

  /** u16: 1 when the queue is enabled. */
  public static final int QUEUE_ENABLE = 0x1c;

  /** u16, read-only: times the multiplier, the queue's place in NOTIFY. */
  public static final int QUEUE_NOTIFY_OFF = 0x1e;

  /** u64: address of the descriptor area. */
  public static final int QUEUE_DESC = 0x20;

  /** u64: address of the driver area. */
  public static final int QUEUE_DRIVER = 0x28;

  /** u64: address of the device area. */
  public static final int QUEUE_DEVICE = 0x30;

  /** u16, read-only: what a driver writes to the doorbell, with NOTIF_CONFIG_DATA. */
  public static final int QUEUE_NOTIF_CONFIG_DATA = 0x38;

  /** u16: resets the selected queue, with RING_RESET. */
  public static final int QUEUE_RESET = 0x3a;

  /** u16, read-only: first administration queue. */
  public static final int ADMIN_QUEUE_INDEX = 0x3c;

  /** u16, read-only: number of administration queues. */
  public static final int ADMIN_QUEUE_NUM = 0x3e;

  /** Bytes of the structure with the optional fields of virtio 1.4. */
  public static final int FULL_SIZE = 0x40;

  /** Bytes of the structure without the optional fields. */
  public static final int SIZE = 0x38;

  /** Vector value: none. */
  public static final int NO_VECTOR = 0xffff;

  /** ISR bit 0: a queue has used buffers. */
  public static final int ISR_QUEUE = 1;

  /** ISR bit 1: the configuration changed. */
  public static final int ISR_CONFIG = 2;

  private CommonCfgDescriptor() {}
}
