package io.carom.shell.result;

/**
 * A virtio device that goes on from a saved state.
 *
 * @param name host name
 * @param file where the state was
 * @param queues of the device
 */
public record StateRestored(String name, String file, int queues) {}
