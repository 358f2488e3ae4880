package io.carom.guest.shim.fake;

import static io.carom.virtio.PackedRingDescriptor.DESC_F_AVAIL;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_INDIRECT;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_NEXT;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_USED;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_WRITE;

import io.carom.virtio.PackedRingDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The device's end of a packed ring. */
final class PackedDeviceRing extends DeviceRing {
  private final MemorySegment ring;
  private final MemorySegment driverEvent;
  private final MemorySegment deviceEvent;
  private int next;
  private boolean wrap = true;
  private int nextUsed;
  private boolean usedWrap = true;
  private int usedSince;

  PackedDeviceRing(
      final Memory memory,
      final int size,
      final long desc,
      final long driver,
      final long device,
      final boolean eventIndex) {
    super(memory, size, eventIndex);
    this.ring = memory.at(desc, PackedRingDescriptor.ringBytes(size));
    this.driverEvent = memory.at(driver, PackedRingDescriptor.EVENT_SIZE);
    this.deviceEvent = memory.at(device, PackedRingDescriptor.EVENT_SIZE);
  }

  @Override
  public boolean available() {
    return available(flags(next));
  }

  private boolean available(final int flags) {
    return (flags & DESC_F_AVAIL) != 0 == wrap && (flags & DESC_F_USED) != 0 != wrap;
  }

  private int flags(final int at) {
    return (short) SHORT.getAcquire(ring, at(at) + PackedRingDescriptor.DESC_FLAGS) & 0xffff;
  }

  private static long at(final int index) {
    return PackedRingDescriptor.desc(index);
  }

  @Override
  public @Nullable Chain pop() {
    if (!available()) {
      return null;
    }
    final List<Buffer> buffers = new ArrayList<>();
    int count = 0;
    while (true) {
      final int flags = flags(next);
      if (!available(flags)) {
        throw new AssertionError("K6: a list was made available before all of it was");
      }
      if (++count > size) {
        throw new AssertionError("K6: a list longer than the ring");
      }
      final long at = at(next);
      final int id = ring.get(U16, at + PackedRingDescriptor.DESC_ID) & 0xffff;
      next++;
      if (next == size) {
        next = 0;
        wrap = !wrap;
      }
      if ((flags & DESC_F_INDIRECT) != 0) {
        if (count > 1 || (flags & DESC_F_NEXT) != 0) {
          throw new AssertionError("K4: INDIRECT within a list");
        }
        buffers.addAll(table(ring.get(U64, at), ring.get(U32, at + 8), false));
        return new Chain(id, 1, true, buffers);
      }
      append(buffers, ring, at, flags);
      if ((flags & DESC_F_NEXT) == 0) {
        return new Chain(id, count, false, buffers);
      }
    }
  }

  @Override
  public void useBatch(final List<Chain> chains, final long length) {
    raw(chains.getLast().id(), length, chains.stream().mapToInt(Chain::descriptors).sum());
  }

  @Override
  public void raw(final int id, final long length, final int move) {
    final long at = at(nextUsed);
    ring.set(U16, at + PackedRingDescriptor.DESC_ID, (short) id);
    ring.set(U32, at + PackedRingDescriptor.DESC_LEN, (int) length);
    final int flags = (usedWrap ? DESC_F_AVAIL | DESC_F_USED : 0) | (length > 0 ? DESC_F_WRITE : 0);
    SHORT.setRelease(ring, at + PackedRingDescriptor.DESC_FLAGS, (short) flags);
    nextUsed += move;
    usedSince += move;
    while (nextUsed >= size) {
      nextUsed -= size;
      usedWrap = !usedWrap;
    }
  }

  @Override
  public void jump() {
    for (int i = 0; i < size; i++) {
      raw(i, 1, 1);
    }
  }

  @Override
  public void scribble(final Random random) {
    final long at = random.nextInt(size) * 16L;
    ring.set(U16, at + PackedRingDescriptor.DESC_ID, (short) random.nextInt(2 * size));
    ring.set(U32, at + PackedRingDescriptor.DESC_LEN, random.nextInt());
    SHORT.setRelease(ring, at + PackedRingDescriptor.DESC_FLAGS, (short) random.nextInt());
    INT.setOpaque(deviceEvent, 0L, random.nextInt());
  }

  @Override
  public void wantKicks() {
    final int event =
        eventIndex
            ? PackedRingDescriptor.EVENT_AT << 16 | next | (wrap ? 1 << 15 : 0)
            : PackedRingDescriptor.EVENT_ENABLE << 16;
    INT.setOpaque(deviceEvent, 0L, event);
    VarHandle.fullFence();
  }

  @Override
  public void refuseKicks() {
    INT.setOpaque(deviceEvent, 0L, PackedRingDescriptor.EVENT_DISABLE << 16);
  }

  @Override
  public boolean interruptWanted() {
    VarHandle.fullFence();
    final int moved = usedSince;
    usedSince = 0;
    final int event = (int) INT.getOpaque(driverEvent, 0L);
    final int flags = event >>> 16;
    if (moved == 0 || flags == PackedRingDescriptor.EVENT_DISABLE) {
      return false;
    }
    if (flags == PackedRingDescriptor.EVENT_ENABLE) {
      return true;
    }
    if (flags != PackedRingDescriptor.EVENT_AT || !eventIndex) {
      throw new AssertionError("K5: driver event flags " + flags);
    }
    final int place = event & 0x7fff;
    final boolean same = (event >>> 15 & 1) != 0 == usedWrap;
    return SplitRingDescriptor.needsEvent(same ? place : place - size, nextUsed, nextUsed - moved);
  }

  @Override
  public int position() {
    int at = next;
    boolean around = wrap;
    while (true) {
      final int flags = flags(at);
      final boolean free =
          (flags & DESC_F_AVAIL) != 0 != around || (flags & DESC_F_USED) != 0 == around;
      if (free) {
        return at | (around ? 1 << 15 : 0);
      }
      at++;
      if (at == size) {
        at = 0;
        around = !around;
      }
    }
  }
}
