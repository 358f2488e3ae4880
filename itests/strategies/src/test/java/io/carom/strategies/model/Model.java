package io.carom.strategies.model;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.memory.PhysicalLayout;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Strategies;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.VirtualTime;
import io.carom.strategies.kit.World;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A world and the reference model of it: devices, buffers, and live mappings with the bytes that
 * each side should see.
 */
final class Model implements AutoCloseable {
  private static final int LOW_MIB = 64;
  private static final int HIGH_MIB = 32;
  private static final int CELLS = 24; // above 4 GiB, and as many below
  private static final int CELL = 320 << 10;
  private static final int GUARD = 64;
  private static final long[] MIN_ALIGN = {0, 0, 0x1ff, 0xfff};
  private static final long[] ALLOC_ALIGN = {0, 0, 0xfff, 0xffff};
  private static final long[] BOUNDARY = {-1, -1, 0xffff, 0xfffff};

  /** Largest buffer that is mapped. */
  static final int MOST_BYTES = 300 << 10;

  /** Time, in the test's hand. */
  final VirtualTime time = new VirtualTime();

  /** The guest. */
  final Guest guest;

  /** The world. */
  final World world;

  /** Devices that may map. */
  final List<ModelDevice> devices = new ArrayList<>();

  /** Devices that were closed while they had mappings. */
  final List<ModelDevice> closed = new ArrayList<>();

  /** Live mappings. */
  final List<Mapping> mappings = new ArrayList<>();

  /** Live lists of mappings, which are not in {@link #mappings}. */
  final List<SgMapping> lists = new ArrayList<>();

  private final Random random;
  private final Shadow[] cells = new Shadow[2 * CELLS];
  private final long[] cellAddresses = new long[2 * CELLS];
  private final BitSet taken = new BitSet();
  private final long pagesBefore;
  private int number;

  Model(final Subject subject, final Random random) {
    this.random = random;
    final boolean confidential = subject.bounces() && random.nextInt(3) == 0;
    final long busOffset = random.nextInt(3) == 0 ? 1L << 28 : 0;
    guest = new Guest(LOW_MIB, HIGH_MIB, confidential, busOffset);
    world = new World(subject, guest, time);
    for (int i = 0; i < cells.length; i++) {
      final long limit = i < CELLS ? Long.MAX_VALUE : PhysicalLayout.LOW_RAM_LIMIT;
      cellAddresses[i] = guest.allocate(CELL >> PhysicalLayout.PAGE_SHIFT, 4096, limit);
      cells[i] = new Shadow(guest.memory.segment(cellAddresses[i], CELL));
      cells[i].write(random);
    }
    pagesBefore = guest.usedPages();
  }

  /** Pages that the core has now. */
  long corePages() {
    return guest.usedPages() - pagesBefore;
  }

  /** A random device. */
  ModelDevice addDevice() {
    final boolean region = world.subject.extents() == ExtentKind.DEVICE || random.nextInt(3) == 0;
    final boolean low = random.nextInt(4) == 0; // 32 bits
    final int kib = 256 << random.nextInt(5); // up to 4 MiB
    DmaDeviceSpec spec =
        DmaDeviceSpec.of(
                "dev" + number++, region ? (low ? world.lowRegion(kib) : world.region(kib)) : null)
            .withMinAlignMask(MIN_ALIGN[random.nextInt(MIN_ALIGN.length)])
            .withAllocAlignMask(ALLOC_ALIGN[random.nextInt(ALLOC_ALIGN.length)])
            .withBoundaryMask(BOUNDARY[random.nextInt(BOUNDARY.length)]);
    if (low) {
      spec = spec.withDmaMask(0xffff_ffffL);
    }
    final Negotiation negotiation =
        new Negotiation(region && random.nextInt(4) == 0, random.nextBoolean());
    final ModelDevice made = new ModelDevice(world.attach(spec, negotiation), negotiation);
    devices.add(made);
    return made;
  }

  /** A random strategy of the table on a random kind of memory, or direct; often the subject. */
  Subject anyStrategy() {
    if (random.nextInt(2) == 0) {
      return world.subject;
    }
    final List<Subject> all = Strategies.all();
    return all.get(random.nextInt(all.size()));
  }

  /** A buffer to be mapped: where it is, and its bytes. */
  record Buffer(int cell, long address, Shadow bytes, Shadow around) {}

  /** A buffer that no live mapping uses; null when there is none. */
  @Nullable Buffer freeBuffer(final int size, final int offset) {
    final int start = random.nextInt(cells.length);
    for (int i = 0; i < cells.length; i++) {
      final int cell = (start + i) % cells.length;
      if (!taken.get(cell)) {
        taken.set(cell);
        final long at = GUARD + (long) offset;
        return new Buffer(
            cell,
            cellAddresses[cell] + at,
            cells[cell].part(at, size),
            cells[cell].part(at - GUARD, size + 2L * GUARD));
      }
    }
    return null;
  }

  /** A buffer is no longer mapped. */
  void free(final int cell) {
    if (cell >= 0) {
      taken.clear(cell);
    }
  }

  /** Lets a swap that was started, or that something made the core start, get to its drain. */
  void settle() {
    World.await(this::settled, "swaps drain");
  }

  private boolean settled() {
    // Twice: what came to rest last may have started another one before.
    return allDrain() && time.quiet() && allDrain();
  }

  private boolean allDrain() {
    return world.core.transitions().stream().allMatch(t -> t.state().equals("DRAINING"));
  }

  /** All live mappings, those of lists included. */
  List<Mapping> all() {
    final List<Mapping> result = new ArrayList<>(mappings);
    lists.forEach(list -> result.addAll(list.entries()));
    return result;
  }

  @Override
  public void close() {
    time.end();
    world.close();
  }
}
