package io.carom.guest.shim.fake;

import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The device's end of a ring, written for tests straight from the specification: honest as long as
 * it is used so, and able to write whatever is wanted instead.
 */
public abstract class DeviceRing {
  static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final VarHandle SHORT = U16.varHandle();
  static final VarHandle INT = U32.varHandle();

  /** How the device reaches memory. */
  @FunctionalInterface
  public interface Memory {
    /** Memory at an address on the wire. */
    MemorySegment at(long address, long length);
  }

  /** A buffer of a chain. */
  public record Buffer(long address, int length, boolean writable) {}

  /**
   * A chain as the device has read it.
   *
   * @param id what it is returned with
   * @param descriptors of the ring that it takes
   * @param indirect whether it came from a table
   */
  public record Chain(int id, int descriptors, boolean indirect, List<Buffer> buffers) {
    /** Bytes that the device may write. */
    public long writable() {
      return buffers.stream().filter(Buffer::writable).mapToLong(Buffer::length).sum();
    }
  }

  final Memory memory;
  final int size;
  final boolean eventIndex;

  DeviceRing(final Memory memory, final int size, final boolean eventIndex) {
    this.memory = memory;
    this.size = size;
    this.eventIndex = eventIndex;
  }

  /** The ring of a layout at the addresses that the driver has given. */
  public static DeviceRing of(
      final boolean packed,
      final Memory memory,
      final int size,
      final long desc,
      final long driver,
      final long device,
      final boolean eventIndex) {
    return packed
        ? new PackedDeviceRing(memory, size, desc, driver, device, eventIndex)
        : new SplitDeviceRing(memory, size, desc, driver, device, eventIndex);
  }

  /** Takes the next chain, or null when there is none. */
  public abstract @Nullable Chain pop();

  /** Whether there is a next chain. */
  public abstract boolean available();

  /** Returns a chain. */
  public final void use(final Chain chain, final long length) {
    useBatch(List.of(chain), length);
  }

  /** Returns several chains, in the order in which they came, with the id of the last. */
  public abstract void useBatch(List<Chain> chains, long length);

  /** Writes a used element as it comes, and moves on by a number of descriptors or entries. */
  public abstract void raw(int id, long length, int move);

  /** Claims to have used much more than there was. */
  public abstract void jump();

  /** Writes a random value somewhere that the device may write. */
  public abstract void scribble(java.util.Random random);

  /** Asks for a doorbell at the next chain. */
  public abstract void wantKicks();

  /** Asks for no doorbells. */
  public abstract void refuseKicks();

  /** Whether the driver wants an interrupt for what was used since this was last asked. */
  public abstract boolean interruptWanted();

  /** Where the driver will put its next chain, as a doorbell with data tells. */
  public abstract int position();

  /** Reads descriptors of a table that lies in one piece. */
  final List<Buffer> table(final long address, final int length, final boolean chained) {
    if (length <= 0 || length % SplitRingDescriptor.DESC_SIZE != 0) {
      throw new AssertionError("a table of " + length + " bytes");
    }
    final int count = length / SplitRingDescriptor.DESC_SIZE;
    if (count > size) {
      throw new AssertionError("a table of " + count + " descriptors in a ring of " + size);
    }
    final MemorySegment table = memory.at(address, length);
    final List<Buffer> buffers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      final long at = (long) i * SplitRingDescriptor.DESC_SIZE;
      final int flagsAt = chained ? 12 : 14;
      final int flags = table.get(U16, at + flagsAt) & 0xffff;
      if ((flags & SplitRingDescriptor.DESC_F_INDIRECT) != 0) {
        throw new AssertionError("a table within a table");
      }
      if (chained) {
        final boolean goesOn = (flags & SplitRingDescriptor.DESC_F_NEXT) != 0;
        if (goesOn != (i + 1 < count)) {
          throw new AssertionError("descriptor " + i + " of " + count + ": flags " + flags);
        }
        if (goesOn && (table.get(U16, at + 14) & 0xffff) != i + 1) {
          throw new AssertionError("the table is out of order");
        }
      }
      append(buffers, table, at, flags);
    }
    return buffers;
  }

  static void append(
      final List<Buffer> buffers, final MemorySegment table, final long at, final int flags) {
    final boolean writable = (flags & SplitRingDescriptor.DESC_F_WRITE) != 0;
    if (!buffers.isEmpty() && buffers.getLast().writable() && !writable) {
      throw new AssertionError("R3: a readable buffer follows a writable one");
    }
    buffers.add(new Buffer(table.get(U64, at), table.get(U32, at + 8), writable));
  }
}
