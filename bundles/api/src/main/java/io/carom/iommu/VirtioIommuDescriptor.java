package io.carom.iommu;

import io.carom.pci.PciAddress;

/**
 * Configuration, requests and events of a virtio-iommu (virtio 1.4, section IOMMU device).
 * Little-endian.
 *
 * <pre>
 * config   0 le64 page_size_mask   8 le64 input_range.start   16 le64 input_range.end
 *         24 le32 domain_range.start   28 le32 domain_range.end   32 le32 probe_size
 *         36 u8 bypass   37 u8 reserved[3]
 *
 * request  0 u8 type   1 u8 reserved[3]   4 body                    (device-readable)
 *            u8 status   u8 reserved[3]                             (device-writable)
 * ATTACH   4 le32 domain   8 le32 endpoint   12 le32 flags   16 u8 reserved[4]
 * DETACH   4 le32 domain   8 le32 endpoint   12 u8 reserved[8]
 * MAP      4 le32 domain   8 le64 virt_start   16 le64 virt_end   24 le64 phys_start
 *         32 le32 flags
 * UNMAP    4 le32 domain   8 le64 virt_start   16 le64 virt_end   24 u8 reserved[4]
 * PROBE    4 le32 endpoint   8 u8 reserved[64]
 *            u8 properties[probe_size], before the tail             (device-writable)
 *
 * property 0 le16 type   2 le16 length   4 value
 * RESV_MEM 4 u8 subtype   5 u8 reserved[3]   8 le64 start   16 le64 end
 *
 * event    0 u8 reason   1 u8 reserved[3]   4 le32 flags   8 le32 endpoint   12 u8 reserved[4]
 *         16 le64 address
 * </pre>
 */
public final class VirtioIommuDescriptor {
  /** Device type of an IOMMU. */
  public static final int TYPE = 23;

  /** The request queue. */
  public static final int QUEUE_REQUEST = 0;

  /** The event queue. */
  public static final int QUEUE_EVENT = 1;

  /** VIRTIO_IOMMU_F_INPUT_RANGE. */
  public static final long F_INPUT_RANGE = 1L;

  /** VIRTIO_IOMMU_F_DOMAIN_RANGE. */
  public static final long F_DOMAIN_RANGE = 1L << 1;

  /** VIRTIO_IOMMU_F_MAP_UNMAP. */
  public static final long F_MAP_UNMAP = 1L << 2;

  /** VIRTIO_IOMMU_F_BYPASS, deprecated by BYPASS_CONFIG. */
  public static final long F_BYPASS = 1L << 3;

  /** VIRTIO_IOMMU_F_PROBE. */
  public static final long F_PROBE = 1L << 4;

  /** VIRTIO_IOMMU_F_MMIO. */
  public static final long F_MMIO = 1L << 5;

  /** VIRTIO_IOMMU_F_BYPASS_CONFIG. */
  public static final long F_BYPASS_CONFIG = 1L << 6;

  /** Bytes of the configuration structure. */
  public static final int CONFIG_SIZE = 40;

  /** le64: bit n is set when pages of 2^n bytes can be mapped; the lowest is the granule. */
  public static final int CONFIG_PAGE_SIZE_MASK = 0;

  /** le64: first address that can be mapped. */
  public static final int CONFIG_INPUT_START = 8;

  /** le64: last address that can be mapped. */
  public static final int CONFIG_INPUT_END = 16;

  /** le32: first domain number. */
  public static final int CONFIG_DOMAIN_START = 24;

  /** le32: last domain number. */
  public static final int CONFIG_DOMAIN_END = 28;

  /** le32: bytes of the properties of a PROBE. */
  public static final int CONFIG_PROBE_SIZE = 32;

  /** u8, written by the driver with BYPASS_CONFIG: whether unattached endpoints pass. */
  public static final int CONFIG_BYPASS = 36;

  /** Request: attach an endpoint to a domain. */
  public static final int T_ATTACH = 1;

  /** Request: detach it. */
  public static final int T_DETACH = 2;

  /** Request: map a range. */
  public static final int T_MAP = 3;

  /** Request: unmap a range. */
  public static final int T_UNMAP = 4;

  /** Request: ask for an endpoint's properties. */
  public static final int T_PROBE = 5;

  /** Offset of a request's type. */
  public static final int REQ_TYPE = 0;

  /** Offset of the domain in ATTACH, DETACH, MAP, UNMAP. */
  public static final int REQ_DOMAIN = 4;

  /** Offset of the endpoint in ATTACH and DETACH. */
  public static final int REQ_ENDPOINT = 8;

  /** Offset of the flags in ATTACH. */
  public static final int ATTACH_FLAGS = 12;

  /** Bytes of an ATTACH before its tail. */
  public static final int ATTACH_SIZE = 20;

  /** ATTACH: every access of the domain passes. */
  public static final int ATTACH_F_BYPASS = 1;

  /** Bytes of a DETACH before its tail. */
  public static final int DETACH_SIZE = 20;

  /** Offset of the first address in MAP and UNMAP. */
  public static final int REQ_VIRT_START = 8;

  /** Offset of the last address in MAP and UNMAP, inclusive. */
  public static final int REQ_VIRT_END = 16;

  /** Offset of the first physical address in MAP. */
  public static final int MAP_PHYS_START = 24;

  /** Offset of the flags in MAP. */
  public static final int MAP_FLAGS = 32;

  /** Bytes of a MAP before its tail. */
  public static final int MAP_SIZE = 36;

  /** MAP: the endpoint may read. */
  public static final int MAP_F_READ = 1;

  /** MAP: the endpoint may write. */
  public static final int MAP_F_WRITE = 1 << 1;

  /** MAP: the range is a device's registers or memory. */
  public static final int MAP_F_MMIO = 1 << 2;

  /** Bytes of an UNMAP before its tail. */
  public static final int UNMAP_SIZE = 28;

  /** Offset of the endpoint in PROBE. */
  public static final int PROBE_ENDPOINT = 4;

  /** Bytes of a PROBE before its properties. */
  public static final int PROBE_SIZE = 72;

  /** Property: none, the end of the list. */
  public static final int PROBE_T_NONE = 0;

  /** Property: a range of addresses that cannot be mapped. */
  public static final int PROBE_T_RESV_MEM = 1;

  /** Bytes of a property before its value. */
  public static final int PROPERTY_HEAD = 4;

  /** Bytes of the value of RESV_MEM. */
  public static final int RESV_MEM_LENGTH = 20;

  /** Offset of the subtype in a RESV_MEM property. */
  public static final int RESV_SUBTYPE = 4;

  /** Offset of the first address in a RESV_MEM property. */
  public static final int RESV_START = 8;

  /** Offset of the last address in a RESV_MEM property. */
  public static final int RESV_END = 16;

  /** RESV_MEM subtype: accesses go nowhere. */
  public static final int RESV_RESERVED = 0;

  /** RESV_MEM subtype: message-signalled interrupts, which pass. */
  public static final int RESV_MSI = 1;

  /** Bytes of a tail. */
  public static final int TAIL_SIZE = 4;

  /** Bytes of an event. */
  public static final int EVENT_SIZE = 24;

  /** Offset of an event's reason. */
  public static final int EVENT_REASON = 0;

  /** Offset of an event's flags. */
  public static final int EVENT_FLAGS = 4;

  /** Offset of an event's endpoint. */
  public static final int EVENT_ENDPOINT = 8;

  /** Offset of an event's address. */
  public static final int EVENT_ADDRESS = 16;

  /** Fault reason: unknown. */
  public static final int FAULT_UNKNOWN = 0;

  /** Fault reason: the endpoint is attached to no domain. */
  public static final int FAULT_DOMAIN = 1;

  /** Fault reason: no mapping that allows it. */
  public static final int FAULT_MAPPING = 2;

  /** Fault flag: a read. */
  public static final int FAULT_F_READ = 1;

  /** Fault flag: a write. */
  public static final int FAULT_F_WRITE = 1 << 1;

  /** Fault flag: the address is valid. */
  public static final int FAULT_F_ADDRESS = 1 << 8;

  private VirtioIommuDescriptor() {}

  /**
   * The endpoint number of a function: bus, device and function in 16 bits, the PCI domain above,
   * as a platform describes them to the guest.
   *
   * @param address such as {@code 0000:00:04.0}
   * @throws IllegalArgumentException when it is no such address
   */
  public static int endpoint(final String address) {
    final PciAddress parsed = PciAddress.parse(address);
    return parsed.bus() << 8 | parsed.devfn();
  }
}
