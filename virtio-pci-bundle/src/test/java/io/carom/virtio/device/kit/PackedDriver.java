package io.carom.virtio.device.kit;

import io.carom.virtio.PackedRingDescriptor;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The driver's side of a packed ring. Descriptors are kept aside under a number, and written into
 * the ring one behind the other when their chain is offered, under the number of its head as id.
 */
public final class PackedDriver extends DriverRing {
  public static final int AVAIL = PackedRingDescriptor.DESC_F_AVAIL;
  public static final int USED = PackedRingDescriptor.DESC_F_USED;
  private static final VarHandle FLAGS =
      java.lang.foreign.ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private final Staged[] staged;
  private final int[] slots = new int[1 << 16];
  private final Deque<Integer> order = new ArrayDeque<>();
  private final int[] usedIds;
  private final int[] usedLengths;
  private final int[] usedFlags;

  /** Whether one used descriptor stands for all up to its id. */
  public boolean inOrder;

  /** Where the next list goes, and its wrap counter. */
  public int place;

  public boolean wrap = true;
  private int usedPlace;
  private boolean usedWrap = true;
  private int usedCount;

  private record Staged(long address, long length, int flags, int next) {}

  public PackedDriver(final FakeBus bus, final int size, final long base) {
    super(bus, size, base, base + 0x4000, base + 0x8000);
    staged = new Staged[Math.max(size, 64)];
    usedIds = new int[size];
    usedLengths = new int[size];
    usedFlags = new int[size];
  }

  @Override
  public void desc(
      final int index, final long address, final long length, final int flags, final int next) {
    staged[index] = new Staged(address, length, flags, next);
  }

  @Override
  public void table(
      final long table,
      final int index,
      final long address,
      final long length,
      final int flags,
      final int next) {
    fields(table + PackedRingDescriptor.desc(index), address, length, 0);
    at(table + PackedRingDescriptor.desc(index) + PackedRingDescriptor.DESC_FLAGS, 2)
        .set(SHORT, 0, (short) (flags & ~PackedRingDescriptor.DESC_F_NEXT));
  }

  private void fields(final long at, final long address, final long length, final int id) {
    at(at, 16).set(LONG, PackedRingDescriptor.DESC_ADDR, address);
    at(at, 16).set(INT, PackedRingDescriptor.DESC_LEN, (int) length);
    at(at, 16).set(SHORT, PackedRingDescriptor.DESC_ID, (short) id);
  }

  /** Writes a descriptor of the ring as it is, flags and all. */
  public void raw(
      final int index, final long address, final long length, final int id, final int flags) {
    fields(desc + PackedRingDescriptor.desc(index), address, length, id);
    flags(index, flags);
  }

  private void flags(final int index, final int flags) {
    final long at = desc + PackedRingDescriptor.desc(index) + PackedRingDescriptor.DESC_FLAGS;
    FLAGS.setRelease(at(at, 2), 0L, (short) flags);
  }

  /** Flags that say that a descriptor is available. */
  public static int available(final boolean wrap) {
    return wrap ? AVAIL : USED;
  }

  /** The flags of a descriptor of the ring. */
  public int flagsOf(final int index) {
    final long at = desc + PackedRingDescriptor.desc(index) + PackedRingDescriptor.DESC_FLAGS;
    return (short) FLAGS.getAcquire(at(at, 2), 0L) & 0xffff;
  }

  @Override
  public void offer(final int head) {
    final int first = place;
    int firstFlags = 0;
    int index = head;
    int count = 0;
    while (true) {
      final Staged next = staged[index];
      final boolean last = (next.flags & PackedRingDescriptor.DESC_F_NEXT) == 0;
      final int flags = next.flags | available(wrap);
      fields(desc + PackedRingDescriptor.desc(place), next.address, next.length, last ? head : 0);
      if (count++ == 0) {
        firstFlags = flags;
      } else {
        flags(place, flags);
      }
      if (++place == size) {
        place = 0;
        wrap = !wrap;
      }
      if (last) {
        break;
      }
      index = next.next;
    }
    slots[head] = count;
    order.add(head);
    flags(first, firstFlags);
  }

  private void poll() {
    while (!order.isEmpty()) {
      final int flags = flagsOf(usedPlace);
      if ((flags & (AVAIL | USED)) != (usedWrap ? AVAIL | USED : 0)) {
        return;
      }
      final long at = desc + PackedRingDescriptor.desc(usedPlace);
      final int id = at(at, 16).get(SHORT, PackedRingDescriptor.DESC_ID) & 0xffff;
      final int length = at(at, 16).get(INT, PackedRingDescriptor.DESC_LEN);
      if (!order.contains(id)) {
        throw new AssertionError("used id " + id + " is not outstanding");
      }
      while (inOrder && order.peekFirst() != id) {
        use(order.removeFirst(), -1, -1); // no descriptor of its own
      }
      order.remove(id);
      use(id, length, flags);
    }
  }

  private void use(final int id, final int length, final int flags) {
    usedIds[usedCount % size] = id;
    usedLengths[usedCount % size] = length;
    usedFlags[usedCount % size] = flags;
    usedCount++;
    usedPlace += slots[id];
    if (usedPlace >= size) {
      usedPlace -= size;
      usedWrap = !usedWrap;
    }
  }

  @Override
  public int usedIndex() {
    poll();
    return usedCount;
  }

  @Override
  public int usedId(final int number) {
    poll();
    return usedIds[Math.floorMod(number, size)];
  }

  /** {@inheritDoc} It is -1 for one that was used without a descriptor of its own. */
  @Override
  public int usedLength(final int number) {
    poll();
    return usedLengths[Math.floorMod(number, size)];
  }

  /** The flags of a used descriptor, by number of its chain. */
  public int usedFlags(final int number) {
    poll();
    return usedFlags[Math.floorMod(number, size)];
  }

  /** Writes the driver's event suppression structure. */
  public void event(final int flags, final int where, final boolean whereWrap) {
    at(avail, 4).set(INT, 0, flags << 16 | where | (whereWrap ? 1 << 15 : 0));
  }

  /** Reads the device's event suppression structure: flags in the upper half. */
  public int deviceEvent() {
    return at(used, 4).get(INT, 0);
  }
}
