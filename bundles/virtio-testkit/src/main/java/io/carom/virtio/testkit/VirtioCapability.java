package io.carom.virtio.testkit;

import io.carom.pci.CapabilitySpec;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A virtio capability of a function (virtio 1.4, section Virtio Structure PCI Capabilities).
 *
 * @param type such as {@link VirtioPciCapDescriptor#TYPE_COMMON}
 * @param bar BAR index
 * @param id what tells several of a type apart
 * @param offset in the BAR; with the upper half in a capability of 64 bits
 * @param length likewise
 * @param spec the capability as the function declares it
 */
public record VirtioCapability(
    int type, int bar, int id, long offset, long length, CapabilitySpec spec) {
  /** The virtio capabilities among these, in order; others are left out. */
  static List<VirtioCapability> of(final List<CapabilitySpec> specs) {
    return specs.stream()
        .filter(
            spec ->
                spec.body().length >= VirtioPciCapDescriptor.SIZE
                    && spec.body()[0] == VirtioPciCapDescriptor.CAPABILITY_ID)
        .map(VirtioCapability::decode)
        .toList();
  }

  private static VirtioCapability decode(final CapabilitySpec spec) {
    final ByteBuffer body = ByteBuffer.wrap(spec.body()).order(ByteOrder.LITTLE_ENDIAN);
    final int type = body.get(VirtioPciCapDescriptor.CFG_TYPE) & 0xff;
    long offset = body.getInt(VirtioPciCapDescriptor.OFFSET) & 0xffff_ffffL;
    long length = body.getInt(VirtioPciCapDescriptor.LENGTH) & 0xffff_ffffL;
    if (type == VirtioPciCapDescriptor.TYPE_SHARED_MEMORY
        && body.capacity() >= VirtioPciCapDescriptor.SIZE_64) {
      offset |= (long) body.getInt(VirtioPciCapDescriptor.OFFSET_HIGH) << Integer.SIZE;
      length |= (long) body.getInt(VirtioPciCapDescriptor.LENGTH_HIGH) << Integer.SIZE;
    }
    return new VirtioCapability(
        type,
        body.get(VirtioPciCapDescriptor.BAR) & 0xff,
        body.get(VirtioPciCapDescriptor.ID) & 0xff,
        offset,
        length,
        spec);
  }

  /** A u32 of the capability's body; such as the multiplier of NOTIFY. */
  public int extra(final int at) {
    return ByteBuffer.wrap(spec.body()).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
  }
}
