package io.carom.virtio.testkit;

import io.carom.virtio.SplitRingDescriptor;

/**
 * One descriptor of a chain, without its place in a ring: a buffer or an indirect table. The flags
 * mean the same in both layouts.
 *
 * @param address 64 bits, as it goes on the wire
 * @param length 32 bits
 * @param flags NEXT, WRITE, INDIRECT, or any others; whoever links descriptors adds NEXT
 */
public record Element(long address, long length, int flags) {
  /** NEXT. */
  public static final int NEXT = SplitRingDescriptor.DESC_F_NEXT;

  /** WRITE. */
  public static final int WRITE = SplitRingDescriptor.DESC_F_WRITE;

  /** INDIRECT. */
  public static final int INDIRECT = SplitRingDescriptor.DESC_F_INDIRECT;

  /** A buffer that the device reads. */
  public static Element readable(final long address, final long length) {
    return new Element(address, length, 0);
  }

  /** A buffer that the device writes. */
  public static Element writable(final long address, final long length) {
    return new Element(address, length, WRITE);
  }

  /** A table of descriptors, whatever is in it. */
  public static Element table(final long address, final long length) {
    return new Element(address, length, INDIRECT);
  }

  /** The same with more flags. */
  public Element with(final int more) {
    return new Element(address, length, flags | more);
  }
}
