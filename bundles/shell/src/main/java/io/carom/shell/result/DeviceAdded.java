package io.carom.shell.result;

import io.carom.virtio.SwiotlbPolicy;

/**
 * A disk that was made.
 *
 * @param name host name
 * @param disk disk name in the guest
 * @param address PCI address
 * @param sizeBytes capacity
 * @param policy SWIOTLB policy
 */
public record DeviceAdded(
    String name, String disk, String address, long sizeBytes, SwiotlbPolicy policy) {}
