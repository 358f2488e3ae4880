package io.carom.guest.shim.virtio;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What both layouts of a driver's queue have in common: the areas and indirect tables, the chains
 * in flight, the checks of what the device returns, and the doorbell. Drivers see {@link
 * VirtQueue}; the rest is between the device's driver side and its queues.
 *
 * <p><b>Checks.</b> A used id must be that of a chain that the device was shown and has not
 * returned, its length at most what that chain lets it write. Lengths, tokens and the places of
 * descriptors are the driver's own notes: nothing is read back from memory that the device can
 * write. The first violation ends the use of the ring until it is prepared again.
 *
 * <p><b>IN_ORDER</b> (virtio 1.4, section In-order use of descriptors). A device may return a batch
 * with the id of its last chain only. The chains that it skipped were used completely, so their
 * lengths are what they let the device write.
 *
 * <p>Not thread-safe: see {@link VirtQueue}.
 */
public abstract class Ring implements VirtQueue {
  static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final VarHandle SHORT = U16.varHandle();
  static final VarHandle INT = U32.varHandle();

  private final DmaDevice dma;
  private final int number;
  private final int size;
  private final CoherentBuffer[] areas;
  private final @Nullable IndirectTables tables;
  private final InFlight inFlight;
  private @Nullable IndirectTables usable;
  private RingOptions options = RingOptions.NONE;
  private @Nullable Doorbell doorbell;
  private @Nullable Runnable flush;
  private @Nullable String violation;
  private long kicks;
  private int skipped;
  private long lastLength;

  /** The id of the used element that {@link #look} has read. */
  private long usedId;

  /** Its length. */
  private long usedLength;

  /**
   * Allocates areas and tables from coherent memory.
   *
   * @param largestChain most buffers of a chain; 1 for a queue that needs no indirect tables
   * @param bytes of the descriptor, driver and device area
   * @throws DmaMemoryException when there is none; nothing is kept then
   */
  Ring(
      final DmaDevice dma,
      final int number,
      final int size,
      final int largestChain,
      final long... bytes) {
    this.dma = dma;
    this.number = number;
    this.size = size;
    this.inFlight = new InFlight(size);
    this.areas = new CoherentBuffer[bytes.length];
    try {
      for (int i = 0; i < bytes.length; i++) {
        areas[i] = dma.allocateCoherent(bytes[i]);
      }
      this.tables = largestChain > 1 ? new IndirectTables(dma, size, largestChain) : null;
    } catch (final DmaMemoryException e) {
      freeAreas();
      throw e;
    }
  }

  @Override
  public final int number() {
    return number;
  }

  @Override
  public final int size() {
    return size;
  }

  @Override
  public final long kicks() {
    return kicks;
  }

  @Override
  public final @Nullable String violation() {
    return violation;
  }

  @Override
  public final int inFlight() {
    return inFlight.count();
  }

  @Override
  public final boolean unpublished() {
    return inFlight.unpublished();
  }

  @Override
  public final int capacity(final int buffers) {
    if (buffers < 1 || buffers > size) {
      return 0; // no chain is longer than the ring, wherever it lies (section Virtqueue
      // descriptors)
    }
    return tabled(buffers) ? size : size / buffers;
  }

  /** Makes the queue as new, before it is enabled. */
  public final void prepare(final RingOptions with) {
    options = with;
    usable = with.indirect() ? tables : null;
    violation = null;
    skipped = 0;
    inFlight.clear();
    for (final CoherentBuffer area : areas) {
      area.memory().fill((byte) 0);
    }
    reset();
    disableInterrupts();
  }

  /** Where to ring when the device wants to be told. */
  public final void doorbell(final Doorbell at) {
    doorbell = at;
  }

  /**
   * What to do before the device is shown anything: waits until stores have reached memory that
   * CPUs do not cache; null where they do.
   */
  public final void flush(final @Nullable Runnable before) {
    flush = before;
  }

  /** Address of the descriptor area, as the device gets it. */
  public final long descAddress() {
    return wire(areas[0].busAddress());
  }

  /** Address of the driver area, as the device gets it. */
  public final long driverAddress() {
    return wire(areas[1].busAddress());
  }

  /** Address of the device area, as the device gets it. */
  public final long deviceAddress() {
    return wire(areas[2].busAddress());
  }

  /** Gives the memory back; the device must have been reset. */
  public final void free() {
    freeAreas();
    final IndirectTables of = tables;
    if (of != null) {
      of.free(dma);
    }
  }

  private void freeAreas() {
    for (final CoherentBuffer area : areas) {
      if (area != null) {
        dma.freeCoherent(area);
      }
    }
  }

  @Override
  public final boolean add(final BufferList buffers, final int token) {
    final int count = buffers.count();
    if (capacity(count) == 0 || (token & ~0xffff) != 0) {
      throw new IllegalArgumentException(
          "a chain of " + count + " buffers with token " + token + " in a ring of " + size);
    }
    final IndirectTables of = usable;
    final int descriptors = of != null && tabled(count) ? 1 : count;
    if (descriptors > room()) {
      return false;
    }
    final int id = put(buffers, descriptors == count ? null : of);
    inFlight.add(id, token, descriptors, buffers.writableBytes());
    return true;
  }

  /** Whether a chain of so many buffers goes into a table. */
  private boolean tabled(final int buffers) {
    final IndirectTables of = usable;
    return of != null && buffers > 1 && buffers <= of.entries();
  }

  @Override
  public final void publish() {
    if (!inFlight.unpublished()) {
      return;
    }
    final Runnable before = flush;
    if (before != null) {
      before.run();
    }
    inFlight.publish();
    if (show()) {
      kicks++;
      final Doorbell at = doorbell;
      if (at != null) {
        at.ring(position());
      }
    }
  }

  @Override
  public final boolean pending() {
    return violation == null && (skipped > 0 || used());
  }

  @Override
  public final long take() {
    if (violation != null) {
      return NONE;
    }
    if (skipped > 0) {
      skipped--;
      final int id = inFlight.oldest();
      return end(id, skipped == 0 ? lastLength : inFlight.writable(id));
    }
    final int most = look();
    if (most <= 0 || wrong(most)) {
      return NONE;
    }
    final int id = (int) usedId; // below the size: it is in flight
    if (options.inOrder()) {
      skipped = inFlight.batch(id) - 1;
      if (skipped > 0) {
        lastLength = usedLength;
        final int first = inFlight.oldest();
        return end(first, inFlight.writable(first));
      }
    }
    return end(id, usedLength);
  }

  private long end(final int id, final long length) {
    final int token = inFlight.token(id);
    retire(id, inFlight.descriptors(id));
    inFlight.take(id);
    return length << 16 | token;
  }

  /** Checks what the device returned. */
  private boolean wrong(final int most) {
    if (usedId >= size) {
      return violate("id " + usedId + " out of range");
    }
    if (!inFlight.holds(usedId)) {
      return violate("id " + usedId + " is not a head!");
    }
    final int id = (int) usedId; // below the size, just checked
    if (usedLength > inFlight.writable(id)) {
      return violate(
          "id " + id + ": used length " + usedLength + " exceeds " + inFlight.writable(id));
    }
    if (options.inOrder() && inFlight.batch(id) > most) {
      return violate("id " + id + " is used before others, which are older");
    }
    return false;
  }

  /** Ends the use of the ring; returns true. */
  final boolean violate(final String text) {
    violation = text;
    return true;
  }

  final RingOptions options() {
    return options;
  }

  final CoherentBuffer area(final int index) {
    return areas[index];
  }

  /** What the device gets to see of a bus address. */
  final long wire(final long busAddress) {
    return busAddress - options.wireBase();
  }

  /** Chains that the device was shown and has not returned. */
  final int outstanding() {
    return inFlight.outstanding();
  }

  /** What {@link #look} has read. */
  final void found(final long id, final long length) {
    usedId = id;
    usedLength = length;
  }

  /** Makes the layout's own state as new; all areas are zero. */
  abstract void reset();

  /** Descriptors that are free. */
  abstract int room();

  /**
   * Writes a chain behind those before it, for which there is room.
   *
   * @param into the tables, or null when the ring's own descriptors are used
   * @return its id
   */
  abstract int put(BufferList buffers, @Nullable IndirectTables into);

  /** Shows the device what was put; whether it wants to be told. */
  abstract boolean show();

  /** Where the next chain will go, as a doorbell with data says it. */
  abstract int position();

  /** Whether there is a next used element, or something that is wrong. */
  abstract boolean used();

  /**
   * Reads the next used element, see {@link #found}.
   *
   * @return 0 when there is none, else how many chains it may stand for at most
   */
  abstract int look();

  /** A chain was returned: its descriptors are free, and the next used element is behind it. */
  abstract void retire(int id, int descriptors);
}
