package io.carom.pcibus.config;

import io.carom.pci.CapabilityAccess;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixDescriptor;
import io.carom.pci.MsixSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The capability list of a function (PCI 3.0 section 6.7): from 0x40 on, each at a multiple of 4,
 * in the given order, MSI-X last. Guarded by the function's lock, as is config space.
 */
final class CapabilityChain {
  private record Live(int offset, byte[] body) {
    boolean holds(final int at) {
      return at >= offset && at < offset + body.length;
    }
  }

  private final ConfigSpace space;
  private final List<Live> live = new ArrayList<>();
  private volatile List<CapabilityAccess> accesses = List.of(); // of the live ones, in order
  private int next = ConfigSpaceDescriptor.CAPABILITIES;
  private int last; // offset of the capability laid last, 0 before the first

  CapabilityChain(final ConfigSpace space) {
    this.space = space;
  }

  /**
   * Appends a capability.
   *
   * @return its offset
   * @throws IllegalArgumentException when config space is full
   */
  int add(final CapabilitySpec spec) {
    final int offset = next;
    // Whole dwords, so that no aligned access reaches from one capability into another.
    final int length = (spec.body().length + 3) & ~3;
    if (length > ConfigSpaceDescriptor.SIZE - offset) {
      throw new IllegalArgumentException(
          "capabilities do not fit: "
              + length
              + " bytes from 0x"
              + Integer.toHexString(offset)
              + " end behind 0x100");
    }
    final byte[] body = Arrays.copyOf(spec.body(), length);
    final byte[] mask = Arrays.copyOf(spec.writeMask(), length);
    mask[0] = 0; // id and next pointer are the bus's
    mask[1] = 0;
    body[1] = 0;
    for (int i = 0; i < length; i++) {
      space.define(offset + i, 1, body[i], mask[i], 0);
    }
    space.set(last == 0 ? ConfigSpaceDescriptor.CAPABILITY_POINTER : last + 1, 1, offset);
    if (spec.access() != null) {
      live.add(new Live(offset, body));
    }
    last = offset;
    next = offset + length;
    return offset;
  }

  /** Appends MSI-X (PCI 3.0 section 6.8.2): only enable and function mask can be written. */
  int addMsix(final MsixSpec msix) {
    final byte[] body = new byte[MsixDescriptor.CAPABILITY_SIZE];
    final byte[] mask = new byte[MsixDescriptor.CAPABILITY_SIZE];
    body[0] = MsixDescriptor.CAPABILITY_ID;
    put(body, MsixDescriptor.CONTROL, 2, msix.vectors() - 1);
    put(body, MsixDescriptor.TABLE, 4, msix.tableOffset() | msix.bar());
    put(body, MsixDescriptor.PBA, 4, msix.pbaOffset() | msix.bar());
    put(
        mask,
        MsixDescriptor.CONTROL,
        2,
        MsixDescriptor.CONTROL_ENABLE | MsixDescriptor.CONTROL_FUNCTION_MASK);
    return add(new CapabilitySpec(body, mask, null));
  }

  /**
   * Whose code stands behind the capabilities with side effects from now on. May be called without
   * the function's lock.
   */
  void accesses(final List<CapabilityAccess> of) {
    accesses = of;
  }

  /** Whether an access there may have side effects; that to id and next pointer has none. */
  boolean isLive(final int offset, final int width) {
    final Live capability = at(offset);
    return capability != null && offset + width > capability.offset() + 2;
  }

  /** Before a guest's load: lets the capability there bring its bytes up to date. */
  void reading(final int offset, final int width) {
    final Live capability = at(offset);
    final CapabilityAccess access = capability == null ? null : access(capability);
    if (capability != null && access != null) {
      space.copyTo(capability.offset(), capability.body());
      access.reading(capability.body(), offset - capability.offset(), width);
      space.copyBodyFrom(capability.offset(), capability.body());
    }
  }

  /** After a guest's store: lets the capability there act on it. */
  void written(final int offset, final int width) {
    final Live capability = at(offset);
    final CapabilityAccess access = capability == null ? null : access(capability);
    if (capability != null && access != null) {
      space.copyTo(capability.offset(), capability.body());
      access.written(capability.body(), offset - capability.offset(), width);
      space.copyBodyFrom(capability.offset(), capability.body());
    }
  }

  private @Nullable Live at(final int offset) {
    for (final Live capability : live) {
      if (capability.holds(offset)) {
        return capability;
      }
    }
    return null;
  }

  /** Null while the function is away. */
  private @Nullable CapabilityAccess access(final Live capability) {
    final List<CapabilityAccess> now = accesses;
    return now.isEmpty() ? null : now.get(live.indexOf(capability));
  }

  private static void put(final byte[] target, final int offset, final int width, final int value) {
    for (int i = 0; i < width; i++) {
      target[offset + i] = (byte) (value >>> (8 * i));
    }
  }
}
