package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import io.carom.virtio.PackedRingDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * Follows one list of descriptors of a packed ring and resolves its buffers (virtio 1.4, sections
 * The Virtqueue Descriptor Ring and Indirect Flag). The descriptors of a list lie one behind the
 * other; the driver makes the first one available last, so one that is not available in the middle
 * of a list is an error, and nothing to wait for. The buffer id is in the last one.
 *
 * <p>A table makes up a list of its own. Its entries are taken in their order, all of them; of
 * their flags only WRITE means something.
 */
final class PackedChainWalker extends ChainWalker {
  private static final int ID_SHIFT = (PackedRingDescriptor.DESC_ID - Long.BYTES) * 8;
  private static final int FLAGS_SHIFT = (PackedRingDescriptor.DESC_FLAGS - Long.BYTES) * 8;
  private static final int STATE =
      PackedRingDescriptor.DESC_F_AVAIL | PackedRingDescriptor.DESC_F_USED;

  private MemorySegment ring = MemorySegment.NULL;

  PackedChainWalker(final QueueSetup setup, final QueueMemory memory) {
    super(setup, memory);
  }

  /** Sets the descriptor ring. */
  void ring(final MemorySegment descriptors) {
    ring = descriptors;
  }

  /** Whether a descriptor with these fields is available to a device with this wrap counter. */
  static boolean available(final long word, final boolean wrap) {
    return ((int) (word >>> FLAGS_SHIFT) & STATE)
        == (wrap ? PackedRingDescriptor.DESC_F_AVAIL : PackedRingDescriptor.DESC_F_USED);
  }

  /** The other fields of a used descriptor. */
  static long used(final int id, final int length, final boolean wrote, final boolean wrap) {
    final long flags = (wrap ? STATE : 0) | (wrote ? WRITE : 0);
    return flags << FLAGS_SHIFT | (long) id << ID_SHIFT | (length & LENGTH_MASK);
  }

  /**
   * Fills a chain from its list.
   *
   * @param start place of the first descriptor
   * @param first its other fields, which say that it is available
   * @param free entries of the ring that are not in flight
   */
  void walk(
      final BusSession session,
      final int start,
      final boolean startWrap,
      final long first,
      final int free,
      final DescriptorChain chain)
      throws QueueException {
    chain.start();
    int place = start;
    boolean wrap = startWrap;
    long word = first;
    for (int count = 1; ; count++) {
      if (count > free) {
        bounded(count);
        throw new QueueException(
            "a list has more descriptors than the " + free + " that are not in flight");
      }
      final long address = (long) FIELD.getOpaque(ring, PackedRingDescriptor.desc(place));
      final int flags = (int) (word >>> FLAGS_SHIFT) & 0xffff;
      if ((flags & INDIRECT) != 0) {
        if (count > 1) {
          throw new QueueException("an INDIRECT descriptor in a list");
        }
        checkIndirect(flags);
        walkTable(session, copyTable(session, address, word & LENGTH_MASK), chain);
      } else {
        add(session, address, word & LENGTH_MASK, (flags & WRITE) != 0, chain);
      }
      if ((flags & NEXT) == 0) {
        chain.ready((int) (word >>> ID_SHIFT) & 0xffff, count);
        return;
      }
      place++;
      if (place == size()) {
        place = 0;
        wrap = !wrap;
      }
      word = (long) FIELD.getOpaque(ring, PackedRingDescriptor.desc(place) + Long.BYTES);
      if (count < size() && !available(word, wrap)) {
        throw new QueueException(
            "descriptor " + place + " is not available, but the one before it goes on there");
      }
    }
  }

  private void walkTable(final BusSession session, final int entries, final DescriptorChain chain)
      throws QueueException {
    for (int index = 0; index < entries; index++) {
      final long word = entryWord(index);
      final boolean writable = (word >>> FLAGS_SHIFT & WRITE) != 0;
      add(session, entryAddress(index), word & LENGTH_MASK, writable, chain);
    }
  }
}
