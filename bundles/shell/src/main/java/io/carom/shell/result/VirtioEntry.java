package io.carom.shell.result;

import io.carom.virtio.RegionInfo;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A virtio device.
 *
 * @param name host name
 * @param disk disk name in the guest, or null
 * @param type such as {@code blk}
 * @param address PCI address, or null while unplugged
 * @param policy SWIOTLB policy
 * @param status status bits in words
 * @param features accepted features
 * @param regionBytes bytes of the SWIOTLB region, 0 without one
 * @param regionAddress bus address of the region, or null
 * @param region more about the region, or null without one
 * @param backend what it stands on
 * @param requests requests served
 * @param ownRegionAccesses DMA accesses to its region
 * @param systemMemoryAccesses DMA accesses to guest RAM
 * @param faultedAccesses DMA accesses refused
 * @param restarts how often its code failed at a request and was restarted in place
 * @param lastError why it needs a reset, or null
 * @param queues its queues
 */
public record VirtioEntry(
    String name,
    @Nullable String disk,
    String type,
    @Nullable String address,
    SwiotlbPolicy policy,
    List<String> status,
    List<String> features,
    long regionBytes,
    @Nullable String regionAddress,
    @Nullable RegionInfo region,
    String backend,
    long requests,
    long ownRegionAccesses,
    long systemMemoryAccesses,
    long faultedAccesses,
    long restarts,
    @Nullable String lastError,
    List<VirtioDeviceInfo.QueueInfo> queues) {

  /** Of what the host says, with the guest's name for it. */
  public static VirtioEntry of(final VirtioDeviceInfo info, final @Nullable String disk) {
    return new VirtioEntry(
        info.name(),
        disk,
        info.type(),
        info.address(),
        info.policy(),
        status(info.status()),
        VirtioFeatures.names(info.typeId(), info.accepted()),
        info.regionBytes(),
        info.regionAddress(),
        info.region(),
        info.backend(),
        info.requests(),
        info.ownRegionAccesses(),
        info.systemMemoryAccesses(),
        info.faultedAccesses(),
        info.restarts(),
        info.lastError(),
        info.queues());
  }

  private static List<String> status(final int bits) {
    final List<String> words = new ArrayList<>();
    word(words, bits, VirtioStatus.ACKNOWLEDGE, "ACKNOWLEDGE");
    word(words, bits, VirtioStatus.DRIVER, "DRIVER");
    word(words, bits, VirtioStatus.FEATURES_OK, "FEATURES_OK");
    word(words, bits, VirtioStatus.DRIVER_OK, "DRIVER_OK");
    word(words, bits, VirtioStatus.SUSPEND, "SUSPEND");
    word(words, bits, VirtioStatus.NEEDS_RESET, "NEEDS_RESET");
    word(words, bits, VirtioStatus.FAILED, "FAILED");
    return words;
  }

  private static void word(
      final List<String> words, final int bits, final int bit, final String name) {
    if ((bits & bit) != 0) {
      words.add(name);
    }
  }
}
