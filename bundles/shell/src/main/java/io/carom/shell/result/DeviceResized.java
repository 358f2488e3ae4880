package io.carom.shell.result;

import org.jspecify.annotations.Nullable;

/**
 * A disk of another size.
 *
 * @param name host name
 * @param disk disk name in the guest, or null
 * @param sizeBytes capacity that the guest sees
 */
public record DeviceResized(String name, @Nullable String disk, long sizeBytes) {}
