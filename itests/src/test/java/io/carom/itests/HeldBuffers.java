package io.carom.itests;

import io.carom.dma.Dma;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.Negotiation;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A driver whose device is slow: it maps buffers and keeps them mapped for as long as a test likes.
 * What the device writes meanwhile, to where it was told that the buffers are, must be in the
 * buffers after their unmap. Only for strategies whose bus addresses are RAM.
 */
public final class HeldBuffers implements AutoCloseable {
  private static final int BYTES = 2048;
  private static final int PAGE = 4096;

  private final PageAllocator pages;
  private final GuestMemory memory;
  private final DmaDevice device;
  private final List<Held> held = new ArrayList<>();

  private record Held(long buffer, long bus, byte fill) {}

  /** Attaches a device without a region. */
  public HeldBuffers(
      final String name, final Dma dma, final PageAllocator pages, final GuestMemory memory) {
    this.pages = pages;
    this.memory = memory;
    device = dma.attach(DmaDeviceSpec.of(name, null));
    device.negotiated(Negotiation.NONE);
  }

  /** Name of the device. */
  public String name() {
    return device.name();
  }

  /** Maps more buffers, each filled with a pattern of its own. */
  public void map(final int count) {
    for (int i = 0; i < count; i++) {
      final long buffer = pages.allocate(1, PAGE, Long.MAX_VALUE);
      if (buffer == PageAllocator.NONE) {
        throw new IllegalStateException("no page for buffer " + i);
      }
      final byte fill = (byte) (held.size() * 31 + 1);
      fill(buffer, fill);
      final long bus = device.map(buffer, BYTES, DmaDirection.BIDIRECTIONAL, DmaAttributes.NONE);
      if (bus == DmaDevice.MAPPING_ERROR) {
        pages.free(buffer, 1);
        throw new IllegalStateException("no mapping for buffer " + i);
      }
      held.add(new Held(buffer, bus, fill));
    }
  }

  /** How many are bounced. */
  public long bounced() {
    return held.stream().filter(each -> each.bus != each.buffer + memory.busOffset()).count();
  }

  /** Mappings that live. */
  public long live() {
    return device.liveMappings();
  }

  /**
   * The device finds each buffer's pattern and writes its complement, then all are unmapped.
   *
   * @return how many buffers were not right on either side
   */
  public int writeAndUnmap() {
    int wrong = 0;
    for (final Held each : held) {
      final long reachable = each.bus - memory.busOffset();
      wrong += holds(reachable, each.fill) ? 0 : 1;
      fill(reachable, (byte) ~each.fill);
      device.unmap(each.bus, BYTES, DmaDirection.BIDIRECTIONAL, DmaAttributes.NONE);
      wrong += holds(each.buffer, (byte) ~each.fill) ? 0 : 1;
      pages.free(each.buffer, 1);
    }
    held.clear();
    return wrong;
  }

  /** Unmaps the first buffer as if it were larger; throws what the core says to that. */
  public void misuse() {
    device.unmap(held.getFirst().bus, 2 * BYTES, DmaDirection.BIDIRECTIONAL, DmaAttributes.NONE);
  }

  private void fill(final long address, final byte value) {
    memory.segment(address, BYTES).fill(value);
  }

  private boolean holds(final long address, final byte value) {
    final var bytes = memory.segment(address, BYTES);
    for (int i = 0; i < BYTES; i++) {
      if (bytes.get(ValueLayout.JAVA_BYTE, i) != value) {
        return false;
      }
    }
    return true;
  }

  /** Unmaps what is left and detaches the device. */
  @Override
  public void close() {
    writeAndUnmap();
    device.close();
  }
}
