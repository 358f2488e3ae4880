package io.carom.shell.result;

/**
 * A virtio device whose state was saved; it is at rest.
 *
 * @param name host name
 * @param file where the state is
 * @param sizeBytes of the file
 * @param queues of the device
 */
public record StateSaved(String name, String file, long sizeBytes, int queues) {}
