package io.carom.virtio.device.net;

/**
 * What a network device is made of.
 *
 * @param name host name of the device
 * @param mac its address, see {@link MacAddress}
 * @param queuePairs most pairs of queues, 1..8
 * @param queueSize entries of each queue
 * @param mtu largest packet, bytes
 * @param threads whether frames are delivered by a thread; else by {@link NetDevice#deliverNow}
 */
public record NetOptions(
    String name, long mac, int queuePairs, int queueSize, int mtu, boolean threads) {}
