package io.carom.virtio.device.queue;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusRun;
import io.carom.pci.BusSession;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The way from a queue's addresses to memory: what they mean, and which of them are allowed.
 *
 * <p>Confinement is checked at each use of an address, and not only when the queue was enabled. A
 * run lies in the own range when its address is at least the base, and address plus length at most
 * the end without wrapping: the bus compares so.
 */
final class QueueMemory {
  private final AddressMode mode;
  private final boolean uniform;
  private final BusRun run = new BusRun();

  /** Where the own range was when the queue was enabled. */
  private long anchor;

  private boolean anchored;

  /** Whether the areas lie in the own range; of a uniform queue, set when it is entered. */
  private boolean inside;

  QueueMemory(final QueueSetup setup) {
    mode = setup.addresses();
    uniform = setup.uniform() && mode == AddressMode.BUS;
  }

  /**
   * The areas are going to be resolved, first of all the one at {@code descriptors}.
   *
   * @throws QueueException when addresses are bus addresses and the own range is not where it was
   *     when the queue was enabled: they would mean other bytes now
   */
  void enter(final BusSession session, final long descriptors) throws QueueException {
    if (mode != AddressMode.OFFSETS) {
      final long base = session.ownBase();
      if (!anchored) {
        anchored = true;
        anchor = base;
      } else if (base != anchor) {
        throw new QueueException(
            "the SWIOTLB region was "
                + place(anchor)
                + " when the queue was enabled and is "
                + place(base)
                + " now: reset the device before its BAR is moved or its decoding changed");
      }
    }
    inside = uniform && session.inOwnRegion(descriptors, 1);
  }

  /**
   * Resolves an area of the ring, which must be contiguous behind an IOMMU: an entry is found by
   * its place in it.
   *
   * @throws QueueException when it is not where it may be, or not reachable
   */
  MemorySegment area(
      final BusSession session,
      final String name,
      final long address,
      final long length,
      final BusAccess access)
      throws QueueException {
    final String refused = refusal(session, address, length);
    if (refused != null) {
      throw new QueueException("the " + name + " area at " + hex(address) + refused);
    }
    final long together = contiguous(session, address, length, access);
    if (together < length) {
      throw new QueueException(
          "the "
              + name
              + " area at "
              + hex(address)
              + " lies in pieces behind the IOMMU, the first of "
              + together
              + " of its "
              + length
              + " bytes: map it to memory that is contiguous");
    }
    try {
      find(session, address, length, access, run);
    } catch (final BusFaultException e) {
      throw unreachable("the " + name + " area is not reachable: ", e);
    }
    return run.memory().asSlice(run.offset(), length);
  }

  /** Counts another section's use of an area. */
  void touched(final BusSession session, final long address) throws QueueException {
    if (mode != AddressMode.OFFSETS) {
      session.touched(address);
      return;
    }
    try {
      session.resolveOwn(address, 1, BusAccess.READ, run);
    } catch (final BusFaultException e) {
      throw unreachable("an area is not reachable any more: ", e);
    }
  }

  /** Checks that a run, of at least one byte, is where a descriptor may point. */
  void confine(final BusSession session, final long address, final long length)
      throws QueueException {
    if (mode == AddressMode.BUS && !uniform) {
      return;
    }
    final String refused = refusal(session, address, length);
    if (refused != null) {
      throw new QueueException("address " + hex(address) + ", length " + length + "," + refused);
    }
  }

  private @Nullable String refusal(
      final BusSession session, final long address, final long length) {
    switch (mode) {
      case RESTRICTED -> {
        if (!session.inOwnRegion(address, length)) {
          return " is not in the SWIOTLB region";
        }
      }
      case OFFSETS -> {
        if (address == 0) {
          return " is the reserved offset 0 of the SWIOTLB region";
        }
      }
      case BUS -> {
        if (uniform && session.inOwnRegion(address, length) != inside) {
          return inside
              ? " is not in the SWIOTLB region, as the queue's descriptor area is: all of a queue"
                  + " must be, or nothing"
              : " is in the SWIOTLB region, but the queue's descriptor area is not: all of a queue"
                  + " must be, or nothing";
        }
      }
    }
    return null;
  }

  /** How much of a run can be resolved as one piece: at least 1, at most {@code length}. */
  long contiguous(
      final BusSession session, final long address, final long length, final BusAccess access) {
    return mode == AddressMode.OFFSETS ? length : session.contiguous(address, length, access);
  }

  /** Resolves a run that descriptors name. */
  void resolve(
      final BusSession session,
      final long address,
      final long length,
      final BusAccess access,
      final BusRun into)
      throws QueueException {
    try {
      find(session, address, length, access, into);
    } catch (final BusFaultException e) {
      throw unreachable("a descriptor's memory is not reachable: ", e);
    }
  }

  private static QueueException unreachable(final String what, final BusFaultException why) {
    return new QueueException(
        what + why.getMessage(), why.reason() == BusFaultException.Reason.REVOKED);
  }

  private void find(
      final BusSession session,
      final long address,
      final long length,
      final BusAccess access,
      final BusRun into)
      throws BusFaultException {
    if (mode == AddressMode.OFFSETS) {
      session.resolveOwn(address, length, access, into);
    } else {
      session.resolve(address, length, access, into);
    }
  }

  private static String place(final long base) {
    return base < 0 ? "not decoded" : "at " + hex(base);
  }

  private static String hex(final long address) {
    return "0x" + Long.toHexString(address);
  }
}
