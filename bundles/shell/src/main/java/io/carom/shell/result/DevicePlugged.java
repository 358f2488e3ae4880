package io.carom.shell.result;

import io.carom.virtio.SwiotlbPolicy;
import org.jspecify.annotations.Nullable;

/**
 * A device that was made and is no disk.
 *
 * @param name host name
 * @param type such as {@code rng}
 * @param address PCI address with domain, or null when it has just gone
 * @param guest what the guest calls it, such as {@code hvc0} or {@code eth0}, or null
 * @param policy SWIOTLB policy
 */
public record DevicePlugged(
    String name,
    String type,
    @Nullable String address,
    @Nullable String guest,
    SwiotlbPolicy policy) {}
