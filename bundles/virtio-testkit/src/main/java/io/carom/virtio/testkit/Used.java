package io.carom.virtio.testkit;

/**
 * A buffer that the device has returned.
 *
 * @param id what the driver called it: in a split ring the chain's head, in a packed one its buffer
 *     id
 * @param length bytes that the device says it has written, 32 bits
 */
public record Used(int id, long length) {}
