package io.carom.virtio;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A virtio device as the host sees it.
 *
 * @param name host name of the device
 * @param type such as {@code blk}
 * @param typeId virtio device type
 * @param address PCI address, or null while unplugged
 * @param status device status bits
 * @param policy SWIOTLB policy
 * @param regionBytes bytes of the SWIOTLB region, 0 without one
 * @param regionAddress bus address of the region, or null while it is not decoded
 * @param offered offered feature bits
 * @param accepted accepted feature bits, 0 before negotiation
 * @param queues the queues
 * @param backend what the device stands on, such as {@code file /tmp/x.img, 67108864 bytes}
 * @param ownRegionAccesses DMA accesses to its region
 * @param systemMemoryAccesses DMA accesses to guest RAM
 * @param faultedAccesses DMA accesses refused
 * @param requests requests served
 * @param restarts how often its code failed at a request and was restarted in place
 * @param lastError why the device needs a reset, or null
 * @param region more about its region, or null without one
 */
public record VirtioDeviceInfo(
    String name,
    String type,
    int typeId,
    @Nullable String address,
    int status,
    SwiotlbPolicy policy,
    long regionBytes,
    @Nullable String regionAddress,
    long offered,
    long accepted,
    List<QueueInfo> queues,
    String backend,
    long ownRegionAccesses,
    long systemMemoryAccesses,
    long faultedAccesses,
    long requests,
    long restarts,
    @Nullable String lastError,
    @Nullable RegionInfo region) {
  /** Copies the list. */
  public VirtioDeviceInfo {
    queues = List.copyOf(queues);
  }

  /**
   * One queue.
   *
   * @param index queue number
   * @param size entries
   * @param enabled whether the driver enabled it
   * @param vector MSI-X vector, 65535 for none
   * @param desc bus address of the descriptor area
   * @param driver bus address of the driver area
   * @param device bus address of the device area
   * @param popped chains taken from the ring
   * @param used chains returned
   * @param kicks notifications received
   * @param interrupts notifications sent
   */
  public record QueueInfo(
      int index,
      int size,
      boolean enabled,
      int vector,
      String desc,
      String driver,
      String device,
      long popped,
      long used,
      long kicks,
      long interrupts) {}
}
