package io.carom.guest.shim.fake;

import static io.carom.virtio.SplitRingDescriptor.DESC_F_INDIRECT;
import static io.carom.virtio.SplitRingDescriptor.DESC_F_NEXT;

import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The device's end of a split ring. */
final class SplitDeviceRing extends DeviceRing {
  private final MemorySegment desc;
  private final MemorySegment avail;
  private final MemorySegment used;
  private int last;
  private int usedIndex;
  private int askedAt;

  SplitDeviceRing(
      final Memory memory,
      final int size,
      final long desc,
      final long driver,
      final long device,
      final boolean eventIndex) {
    super(memory, size, eventIndex);
    this.desc = memory.at(desc, SplitRingDescriptor.descBytes(size));
    this.avail = memory.at(driver, SplitRingDescriptor.availBytes(size));
    this.used = memory.at(device, SplitRingDescriptor.usedBytes(size));
  }

  @Override
  public boolean available() {
    return index() != last;
  }

  private int index() {
    return (short) SHORT.getAcquire(avail, (long) SplitRingDescriptor.IDX) & 0xffff;
  }

  @Override
  public @Nullable Chain pop() {
    if (!available()) {
      return null;
    }
    final int head = avail.get(U16, SplitRingDescriptor.availEntry(last & size - 1)) & 0xffff;
    last = last + 1 & 0xffff;
    final List<Buffer> buffers = new ArrayList<>();
    int at = head;
    int count = 0;
    while (true) {
      final long offset = SplitRingDescriptor.desc(at);
      final int flags = desc.get(U16, offset + SplitRingDescriptor.DESC_FLAGS) & 0xffff;
      if (++count > size) {
        throw new AssertionError("R3: a chain longer than the ring");
      }
      if ((flags & DESC_F_INDIRECT) != 0) {
        if (flags != DESC_F_INDIRECT || count > 1) {
          throw new AssertionError("R5: flags " + flags + " beside INDIRECT");
        }
        buffers.addAll(table(desc.get(U64, offset), desc.get(U32, offset + 8), true));
        return new Chain(head, 1, true, buffers);
      }
      append(buffers, desc, offset, flags);
      if ((flags & DESC_F_NEXT) == 0) {
        return new Chain(head, count, false, buffers);
      }
      at = desc.get(U16, offset + SplitRingDescriptor.DESC_NEXT) & 0xffff;
    }
  }

  /** The descriptor that a chain goes on with. */
  int next(final int at) {
    return desc.get(U16, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_NEXT) & 0xffff;
  }

  @Override
  public void useBatch(final List<Chain> chains, final long length) {
    raw(chains.getLast().id(), length, chains.size());
  }

  @Override
  public void raw(final int id, final long length, final int move) {
    final long at = SplitRingDescriptor.usedEntry(usedIndex & size - 1);
    used.set(U32, at, id);
    used.set(U32, at + 4, (int) length);
    usedIndex = usedIndex + move & 0xffff;
    SHORT.setRelease(used, (long) SplitRingDescriptor.IDX, (short) usedIndex);
  }

  @Override
  public void jump() {
    usedIndex = usedIndex + size + 100 & 0xffff;
    SHORT.setRelease(used, (long) SplitRingDescriptor.IDX, (short) usedIndex);
  }

  @Override
  public void scribble(final Random random) {
    final long at = random.nextInt((int) used.byteSize() / 2) * 2L;
    final int value = random.nextBoolean() ? random.nextInt(2 * size) : random.nextInt();
    used.set(U16, at, (short) value);
    if (random.nextInt(4) == 0) {
      usedIndex = usedIndex + random.nextInt(3) & 0xffff;
      SHORT.setRelease(used, (long) SplitRingDescriptor.IDX, (short) usedIndex);
    }
  }

  @Override
  public void wantKicks() {
    if (eventIndex) {
      SHORT.setOpaque(used, SplitRingDescriptor.availEvent(size), (short) last);
    } else {
      SHORT.setOpaque(used, (long) SplitRingDescriptor.FLAGS, (short) 0);
    }
    VarHandle.fullFence();
  }

  @Override
  public void refuseKicks() {
    if (eventIndex) {
      SHORT.setOpaque(used, SplitRingDescriptor.availEvent(size), (short) (last - 1));
    } else {
      SHORT.setOpaque(
          used, (long) SplitRingDescriptor.FLAGS, (short) SplitRingDescriptor.USED_F_NO_NOTIFY);
    }
  }

  @Override
  public boolean interruptWanted() {
    VarHandle.fullFence();
    final int before = askedAt;
    askedAt = usedIndex;
    if (before == usedIndex) {
      return false;
    }
    if (eventIndex) {
      final int event =
          (short) SHORT.getOpaque(avail, SplitRingDescriptor.usedEvent(size)) & 0xffff;
      return SplitRingDescriptor.needsEvent(event, usedIndex, before);
    }
    return ((short) SHORT.getOpaque(avail, (long) SplitRingDescriptor.FLAGS) & 1) == 0;
  }

  @Override
  public int position() {
    return index();
  }
}
