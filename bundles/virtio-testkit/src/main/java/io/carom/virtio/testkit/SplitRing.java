package io.carom.virtio.testkit;

import io.carom.virtio.SplitRingDescriptor;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A split virtqueue (virtio 1.4, section Split Virtqueues). Methods named for a field write that
 * field, with any value.
 */
public final class SplitRing extends TestRing {
  private static final int INDEX_MASK = 0xffff;

  private final Deque<Integer> free = new ArrayDeque<>();
  private final Map<Integer, int[]> chains = new HashMap<>();
  private int nextAvail;
  private int published;
  private int nextUsed;

  /** A ring in zeroed memory from a page on: its areas follow each other, each from a page on. */
  public SplitRing(final TestMemory memory, final int size, final long base) {
    this(memory, size, base, behind(base, SplitRingDescriptor.descBytes(size)));
  }

  private SplitRing(final TestMemory memory, final int size, final long desc, final long driver) {
    this(memory, size, desc, driver, behind(driver, SplitRingDescriptor.availBytes(size)));
  }

  /** A ring with its areas at any place. */
  public SplitRing(
      final TestMemory memory,
      final int size,
      final long desc,
      final long driver,
      final long device) {
    super(memory, size, desc, driver, device);
    for (int i = 0; i < size; i++) {
      free.add(i);
    }
  }

  @Override
  public RingLayout layout() {
    return RingLayout.SPLIT;
  }

  // ---- any field

  /** Writes a descriptor of the ring. */
  public void desc(
      final int index, final long address, final long length, final int flags, final int next) {
    table(desc(), index, address, length, flags, next);
  }

  /** Writes a descriptor of any table. */
  public void table(
      final long table,
      final int index,
      final long address,
      final long length,
      final int flags,
      final int next) {
    final long at = table + SplitRingDescriptor.desc(index);
    memory().put64(at + SplitRingDescriptor.DESC_ADDR, address);
    memory().put32(at + SplitRingDescriptor.DESC_LEN, length);
    memory().put16(at + SplitRingDescriptor.DESC_FLAGS, flags);
    memory().put16(at + SplitRingDescriptor.DESC_NEXT, next);
  }

  /** Writes an entry of the available ring. */
  public void availEntry(final int slot, final int head) {
    memory().put16(driver() + SplitRingDescriptor.availEntry(Math.floorMod(slot, size())), head);
  }

  /** Writes the available index; chains added later come after it. */
  public void availIndex(final int index) {
    nextAvail = index & INDEX_MASK;
    published = nextAvail;
    memory().put16(driver() + SplitRingDescriptor.IDX, index);
  }

  /** Puts a head into the next entry of the available ring, and moves the index over it. */
  public void offer(final int head) {
    placeHead(head);
    publish();
  }

  /** Puts a head into the next entry of the available ring. */
  public void placeHead(final int head) {
    availEntry(nextAvail, head);
    nextAvail = nextAvail + 1 & INDEX_MASK;
  }

  /** The available index as it was last published. */
  public int availIndex() {
    return published;
  }

  /** Writes the flags of the available ring. */
  public void availFlags(final int flags) {
    memory().put16(driver() + SplitRingDescriptor.FLAGS, flags);
  }

  /** Writes used_event. */
  public void usedEvent(final int index) {
    memory().put16(driver() + SplitRingDescriptor.usedEvent(size()), index);
  }

  /** Reads avail_event. */
  public int availEvent() {
    return memory().get16(device() + SplitRingDescriptor.availEvent(size()));
  }

  /** Reads the flags of the used ring. */
  public int usedFlags() {
    return memory().get16(device() + SplitRingDescriptor.FLAGS);
  }

  /** Reads the used index. */
  public int usedIndex() {
    return memory().get16(device() + SplitRingDescriptor.IDX);
  }

  /** Reads the id of a used entry. */
  public long usedId(final int slot) {
    return memory().get32(usedEntry(slot));
  }

  /** Reads the length of a used entry. */
  public long usedLength(final int slot) {
    return memory().get32(usedEntry(slot) + Integer.BYTES);
  }

  private long usedEntry(final int slot) {
    return device() + SplitRingDescriptor.usedEntry(Math.floorMod(slot, size()));
  }

  // ---- by the rules

  @Override
  int link(final Element... elements) {
    if (free.size() < elements.length) {
      throw new IllegalStateException(elements.length + " descriptors of " + free.size() + " free");
    }
    final int[] places = new int[elements.length];
    for (int i = 0; i < places.length; i++) {
      places[i] = free.remove();
    }
    for (int i = 0; i < places.length; i++) {
      final boolean last = i == places.length - 1;
      final Element element = elements[i];
      desc(
          places[i],
          element.address(),
          element.length(),
          element.flags() | (last ? 0 : Element.NEXT),
          last ? 0 : places[i + 1]);
    }
    chains.put(places[0], places);
    placeHead(places[0]);
    return places[0];
  }

  @Override
  public void publish() {
    availIndex(nextAvail);
  }

  @Override
  public Element indirect(final long table, final Element... entries) {
    for (int i = 0; i < entries.length; i++) {
      final boolean last = i == entries.length - 1;
      final Element entry = entries[i];
      table(
          table,
          i,
          entry.address(),
          entry.length(),
          entry.flags() | (last ? 0 : Element.NEXT),
          last ? 0 : i + 1);
    }
    return Element.table(table, (long) entries.length * SplitRingDescriptor.DESC_SIZE);
  }

  @Override
  @Nullable Used next() {
    if (usedIndex() == nextUsed) {
      return null;
    }
    final Used used = new Used((int) usedId(nextUsed), usedLength(nextUsed));
    nextUsed = nextUsed + 1 & INDEX_MASK;
    return used;
  }

  @Override
  void skip(final int count, final List<Integer> ids) {
    // the entry lies where that of the batch's first would: the index has passed the others
    nextUsed = nextUsed + count & INDEX_MASK;
    ids.forEach(this::release);
  }

  @Override
  void release(final int id) {
    final int[] places = chains.remove(id);
    if (places != null) {
      for (final int place : places) {
        free.add(place);
      }
    }
  }

  @Override
  public void notifications(final boolean wanted) {
    availFlags(wanted ? 0 : SplitRingDescriptor.AVAIL_F_NO_INTERRUPT);
  }

  @Override
  public void notifyAfter(final int count) {
    usedEvent(nextUsed + count - 1);
  }

  @Override
  public boolean kickWanted(final boolean eventIndex) {
    return eventIndex
        ? SplitRingDescriptor.needsEvent(availEvent(), published, published - 1 & INDEX_MASK)
        : (usedFlags() & SplitRingDescriptor.USED_F_NO_NOTIFY) == 0;
  }
}
