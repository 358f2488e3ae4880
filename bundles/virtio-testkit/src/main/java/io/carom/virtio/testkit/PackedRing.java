package io.carom.virtio.testkit;

import io.carom.virtio.PackedRingDescriptor;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A packed virtqueue (virtio 1.4, section Packed Virtqueues). Methods named for a field write that
 * field, with any value.
 */
public final class PackedRing extends TestRing {
  private static final int BOTH =
      PackedRingDescriptor.DESC_F_AVAIL | PackedRingDescriptor.DESC_F_USED;
  private static final int WRAP = 1 << 15;

  private final Deque<Integer> ids = new ArrayDeque<>();
  private final Map<Integer, Integer> lengths = new HashMap<>();
  private int position;
  private boolean wrap = true;
  private int free;
  private int usedPosition;
  private boolean usedWrap = true;
  // the first descriptor of what was placed last: it makes all of it available
  private int heldPosition = -1;
  private int heldFlags;

  /** A ring in zeroed memory from a page on: its areas follow each other, each from a page on. */
  public PackedRing(final TestMemory memory, final int size, final long base) {
    this(memory, size, base, behind(base, PackedRingDescriptor.ringBytes(size)));
  }

  private PackedRing(final TestMemory memory, final int size, final long desc, final long driver) {
    this(memory, size, desc, driver, behind(driver, PackedRingDescriptor.EVENT_SIZE));
  }

  /** A ring with its areas at any place. */
  public PackedRing(
      final TestMemory memory,
      final int size,
      final long desc,
      final long driver,
      final long device) {
    super(memory, size, desc, driver, device);
    free = size;
    for (int i = 0; i < size; i++) {
      ids.add(i);
    }
  }

  @Override
  public RingLayout layout() {
    return RingLayout.PACKED;
  }

  // ---- any field

  /** Writes a descriptor of the ring, its flags last. */
  public void desc(
      final int index, final long address, final long length, final int id, final int flags) {
    table(desc(), index, address, length, id, flags);
  }

  /** Writes a descriptor of any table, its flags last. */
  public void table(
      final long table,
      final int index,
      final long address,
      final long length,
      final int id,
      final int flags) {
    final long at = table + PackedRingDescriptor.desc(index);
    memory().put64(at + PackedRingDescriptor.DESC_ADDR, address);
    memory().put32(at + PackedRingDescriptor.DESC_LEN, length);
    memory().put16(at + PackedRingDescriptor.DESC_ID, id);
    memory().put16(at + PackedRingDescriptor.DESC_FLAGS, flags);
  }

  /** Where the next descriptor goes. */
  public int position() {
    return position;
  }

  /** The driver's wrap counter. */
  public boolean wrap() {
    return wrap;
  }

  /** The flags that make a descriptor at {@link #position} available. */
  public int available() {
    return available(wrap);
  }

  /** The flags that make a descriptor available under a wrap counter. */
  public static int available(final boolean wrap) {
    return wrap ? PackedRingDescriptor.DESC_F_AVAIL : PackedRingDescriptor.DESC_F_USED;
  }

  /** Reads a descriptor's flags. */
  public int flags(final int index) {
    return memory().get16(at(index) + PackedRingDescriptor.DESC_FLAGS);
  }

  /** Reads a descriptor's id. */
  public int id(final int index) {
    return memory().get16(at(index) + PackedRingDescriptor.DESC_ID);
  }

  /** Reads a descriptor's length. */
  public long length(final int index) {
    return memory().get32(at(index) + PackedRingDescriptor.DESC_LEN);
  }

  private long at(final int index) {
    return desc() + PackedRingDescriptor.desc(index);
  }

  /** Writes the driver's event suppression structure. */
  public void driverEvent(final int place, final boolean wrapCounter, final int flags) {
    memory().put16(driver() + PackedRingDescriptor.EVENT_DESC, place | (wrapCounter ? WRAP : 0));
    memory().put16(driver() + PackedRingDescriptor.EVENT_FLAGS, flags);
  }

  /** Reads the flags of the device's event suppression structure. */
  public int deviceEventFlags() {
    return memory().get16(device() + PackedRingDescriptor.EVENT_FLAGS);
  }

  /** Reads place and wrap counter (bit 15) of the device's event suppression structure. */
  public int deviceEventPlace() {
    return memory().get16(device() + PackedRingDescriptor.EVENT_DESC);
  }

  // ---- by the rules

  @Override
  int link(final Element... elements) {
    if (free < elements.length || ids.isEmpty()) {
      throw new IllegalStateException(elements.length + " descriptors of " + free + " free");
    }
    final int id = ids.remove();
    for (int i = 0; i < elements.length; i++) {
      final Element element = elements[i];
      final boolean last = i == elements.length - 1;
      final int flags = element.flags() | (last ? 0 : Element.NEXT) | available();
      if (heldPosition < 0) {
        // as it was left: used, or zero, and so not available
        heldPosition = position;
        heldFlags = flags;
        desc(position, element.address(), element.length(), id, flags(position));
      } else {
        desc(position, element.address(), element.length(), id, flags);
      }
      advance();
    }
    free -= elements.length;
    lengths.put(id, elements.length);
    return id;
  }

  private void advance() {
    if (++position == size()) {
      position = 0;
      wrap = !wrap;
    }
  }

  /** Passes over descriptors, as if they had been made available. */
  public void advance(final int descriptors) {
    for (int i = 0; i < descriptors; i++) {
      advance();
    }
  }

  @Override
  public void publish() {
    if (heldPosition >= 0) {
      memory().put16(at(heldPosition) + PackedRingDescriptor.DESC_FLAGS, heldFlags);
      heldPosition = -1;
    }
  }

  @Override
  public Element indirect(final long table, final Element... entries) {
    for (int i = 0; i < entries.length; i++) {
      // in a table only WRITE means anything
      final Element entry = entries[i];
      table(table, i, entry.address(), entry.length(), 0, entry.flags());
    }
    return Element.table(table, (long) entries.length * PackedRingDescriptor.DESC_SIZE);
  }

  @Override
  @Nullable Used next() {
    final int flags = flags(usedPosition);
    if ((flags & BOTH) != (usedWrap ? BOTH : 0)) {
      return null;
    }
    final int id = id(usedPosition);
    final Used used =
        new Used(id, (flags & PackedRingDescriptor.DESC_F_WRITE) == 0 ? 0 : length(usedPosition));
    pass(lengths.getOrDefault(id, 1));
    return used;
  }

  private void pass(final int descriptors) {
    usedPosition += descriptors;
    if (usedPosition >= size()) {
      usedPosition -= size();
      usedWrap = !usedWrap;
    }
  }

  @Override
  void skip(final int count, final List<Integer> earlier) {
    // one descriptor, in the place of the batch's first, stood for all of their descriptors
    for (final int id : earlier) {
      pass(lengths.getOrDefault(id, 1));
      release(id);
    }
  }

  @Override
  void release(final int id) {
    final Integer length = lengths.remove(id);
    if (length != null) {
      free += length;
      ids.add(id);
    }
  }

  @Override
  public void notifications(final boolean wanted) {
    driverEvent(
        0, false, wanted ? PackedRingDescriptor.EVENT_ENABLE : PackedRingDescriptor.EVENT_DISABLE);
  }

  /** In descriptors rather than chains, when chains are longer than one. */
  @Override
  public void notifyAfter(final int count) {
    final int place = usedPosition + count - 1;
    driverEvent(
        place % size(), place >= size() ? !usedWrap : usedWrap, PackedRingDescriptor.EVENT_AT);
  }

  @Override
  public boolean kickWanted(final boolean eventIndex) {
    return switch (deviceEventFlags()) {
      case PackedRingDescriptor.EVENT_ENABLE -> true;
      case PackedRingDescriptor.EVENT_AT -> passes(deviceEventPlace());
      default -> false;
    };
  }

  /** Whether the chain published last reaches the place that the device waits for. */
  private boolean passes(final int event) {
    int place = event & WRAP - 1;
    if ((event & WRAP) != 0 != wrap) {
      place -= size();
    }
    return place < position && position - place <= size();
  }
}
