package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * Follows the descriptors of one chain of a split ring and resolves its buffers (virtio 1.4,
 * sections The Virtqueue Descriptor Table and Indirect Descriptors). Normal descriptors may come
 * before the one that names a table; a table in a table is an error.
 */
final class SplitChainWalker extends ChainWalker {
  private static final int FLAGS_SHIFT = (SplitRingDescriptor.DESC_FLAGS - Long.BYTES) * 8;
  private static final int NEXT_SHIFT = (SplitRingDescriptor.DESC_NEXT - Long.BYTES) * 8;

  private MemorySegment table = MemorySegment.NULL;

  SplitChainWalker(final QueueSetup setup, final QueueMemory memory) {
    super(setup, memory);
  }

  /** Sets the queue's own descriptor table. */
  void table(final MemorySegment descriptors) {
    table = descriptors;
  }

  /** Fills a chain from its head, which is below the queue's size. */
  void walk(final BusSession session, final int head, final DescriptorChain chain)
      throws QueueException {
    chain.start();
    int index = head;
    for (int count = 1; ; count++) {
      bounded(count);
      final long offset = SplitRingDescriptor.desc(index);
      final long address = (long) FIELD.getOpaque(table, offset);
      final long word = (long) FIELD.getOpaque(table, offset + Long.BYTES);
      final int flags = flags(word);
      if ((flags & INDIRECT) != 0) {
        checkIndirect(flags);
        walkTable(session, copyTable(session, address, word & LENGTH_MASK), count - 1, chain);
        break;
      }
      add(session, address, word & LENGTH_MASK, (flags & WRITE) != 0, chain);
      if ((flags & NEXT) == 0) {
        break;
      }
      index = next(word);
      if (index >= size()) {
        throw new QueueException("next " + index + " is not below the queue's size " + size());
      }
    }
    chain.ready(head, 1);
  }

  /** The last part of a chain, behind {@code before} normal descriptors. */
  private void walkTable(
      final BusSession session, final int entries, final int before, final DescriptorChain chain)
      throws QueueException {
    int index = 0;
    for (int count = before + 1; ; count++) {
      bounded(count);
      final long word = entryWord(index);
      final int flags = flags(word);
      if ((flags & INDIRECT) != 0) {
        throw new QueueException("an INDIRECT descriptor in an indirect table");
      }
      add(session, entryAddress(index), word & LENGTH_MASK, (flags & WRITE) != 0, chain);
      if ((flags & NEXT) == 0) {
        return;
      }
      index = next(word);
      if (index >= entries) {
        throw new QueueException(
            "next " + index + " is not below the " + entries + " entries of the indirect table");
      }
    }
  }

  private static int flags(final long word) {
    return (int) (word >>> FLAGS_SHIFT) & 0xffff;
  }

  private static int next(final long word) {
    return (int) (word >>> NEXT_SHIFT); // the topmost 16 bits
  }
}
