package io.carom.shell.result;

/**
 * Whether a device rests.
 *
 * @param address PCI address
 * @param suspended whether it does now
 */
public record DeviceSuspended(String address, boolean suspended) {}
