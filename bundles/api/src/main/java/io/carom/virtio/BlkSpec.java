package io.carom.virtio;

import org.jspecify.annotations.Nullable;

/**
 * A block device to be made: the same as one configuration of {@code io.carom.virtio.blk}.
 *
 * @param name unique name of the device on the host, such as {@code disk0}
 * @param backend {@code file} or {@code memory}
 * @param file path of the image, for {@code file}
 * @param sizeBytes bytes of the disk, a multiple of 512; 0 takes the file's size
 * @param readOnly whether writes are refused
 * @param queues number of request queues, 1..64
 * @param queueSize entries of each queue, a power of two of at most 32768
 * @param policy what it does about the SWIOTLB region
 * @param regionBytes bytes of the region, a multiple of 256 KiB; ignored for {@code NONE}
 * @param slot wanted PCI slot such as {@code 00:04.0}, or null for the first free one
 */
public record BlkSpec(
    String name,
    String backend,
    @Nullable String file,
    long sizeBytes,
    boolean readOnly,
    int queues,
    int queueSize,
    SwiotlbPolicy policy,
    long regionBytes,
    @Nullable String slot) {}
