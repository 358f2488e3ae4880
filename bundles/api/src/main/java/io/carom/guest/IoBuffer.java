package io.carom.guest;

import java.lang.foreign.MemorySegment;

/**
 * An I/O buffer in memory that a disk's device reaches as it is, see {@link
 * BlockDevice#allocateBuffer}. Identity counts: it is given back as the object that was handed out.
 *
 * <p>The address may be one of a device's region, which is not RAM: whoever fills or checks the
 * buffer uses {@code memory} and never looks the address up in guest RAM.
 *
 * @param address guest-physical address, for {@link BlockRequest#buffer}
 * @param memory its bytes, as many as were asked for
 */
public record IoBuffer(long address, MemorySegment memory) {}
