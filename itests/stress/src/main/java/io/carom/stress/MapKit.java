package io.carom.stress;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.map.Mapper;
import io.carom.dma.core.map.Revoker;
import io.carom.dma.core.map.Unmapper;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.Extent;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * One device on the real core classes, with an old and a new generation of one extent each. Used
 * again from try to try: making one costs more than a race lasts.
 */
final class MapKit {
  /** Bytes of a mapping. */
  static final long SIZE = 64;

  private static final int DEVICE = 1;
  private static final long BUFFER = 64;
  private static final long BASE = 0x1000_0000L;
  private static final long DRIVERS = 0x1122334455667788L;
  private static final long DEVICES = 0x99aabbccddeeff00L;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ConcurrentLinkedQueue<MapKit> FREE = new ConcurrentLinkedQueue<>();
  private static final ConcurrentLinkedQueue<MapKit> FREE_FULL = new ConcurrentLinkedQueue<>();

  /** What is replaced. */
  final Generation old;

  /** What replaces it. */
  final Generation next;

  /** The device's map path. */
  final Mapper mapper;

  private final boolean nextFull;
  private final Unmapper unmapper;
  private final Revoker revoker;
  private final MemorySegment ram;
  private final ExtentState oldExtent;
  private final ExtentState nextExtent;
  private final OneSlotStrategy oldStrategy;
  private int releasedBefore;

  private MapKit(final boolean nextFull) {
    this.nextFull = nextFull;
    final CoreTables tables = CoreTables.of(new SmallMemory(128), Copier.COPYING);
    ram = tables.memory().ram();
    oldStrategy = new OneSlotStrategy(false);
    old = generation(1, oldStrategy);
    next = generation(2, new OneSlotStrategy(nextFull));
    tables.generations().add(old);
    tables.generations().add(next);
    oldExtent = extent(tables, 0, pool(old));
    nextExtent = extent(tables, 1, pool(next));
    mapper = new Mapper(tables, DmaDeviceSpec.of("stressed", null), old);
    unmapper = new Unmapper(tables, "stressed", DEVICE, mapper);
    revoker = new Revoker(tables, mapper, unmapper);
    begin();
  }

  private static Generation generation(final int number, final OneSlotStrategy strategy) {
    final Pool pool = new Pool("pool", "one-slot", ExtentKind.RAM, null, strategy, null);
    return new Generation(DEVICE, number, "one-slot", pool, Extent.SLOT_SIZE);
  }

  private static ExtentState extent(final CoreTables tables, final int number, final Pool pool) {
    final ExtentState made =
        new ExtentState(
            new Extent(
                number,
                ExtentKind.RAM,
                BASE + ((long) number << Extent.SET_SHIFT),
                Extent.SET_SIZE),
            MemorySegment.ofArray(new long[(int) SIZE / Long.BYTES]),
            0);
    tables.index().add(made);
    if (!pool.grant(made)) {
      throw new IllegalStateException("the extent was not granted");
    }
    return made;
  }

  /** A kit with room in both generations; the old one is current. */
  static MapKit take() {
    final MapKit used = FREE.poll();
    return used == null ? new MapKit(false) : used;
  }

  /** A kit whose new generation is full, current, and borrows from the old one. */
  static MapKit takeBorrowing() {
    final MapKit used = FREE_FULL.poll();
    final MapKit kit = used == null ? new MapKit(true) : used;
    kit.next.lender(kit.old);
    kit.publish();
    return kit;
  }

  private void begin() {
    old.state(Generation.State.CURRENT);
    next.state(Generation.State.READY);
    mapper.publish(old);
    ram.asSlice(BUFFER, SIZE).fill((byte) 0);
    ram.set(LONG, BUFFER, DRIVERS);
    ram.set(LONG, BUFFER + SIZE - Long.BYTES, DRIVERS);
    releasedBefore = oldStrategy.released();
  }

  /** The swap's publication, as the swapper does it. */
  void publish() {
    next.state(Generation.State.CURRENT);
    old.state(Generation.State.DRAINING);
    mapper.publish(next);
  }

  /** Takes the publication back, as a cancelled swap does. */
  void cancel() {
    old.lender(next);
    next.lender(null);
    next.state(Generation.State.DRAINING);
    mapper.publish(old);
    old.state(Generation.State.CURRENT);
  }

  /** Waits for those inside the new generation. */
  void graceOfNext() {
    if (pool(next).grace(Long.MAX_VALUE) != 0) {
      throw new IllegalStateException("a stripe was abandoned");
    }
  }

  /** Takes away what lives of the old generation, whose device is fenced: how many mappings. */
  int revoke() {
    return (int) revoker.revoke(old);
  }

  /** Takes the old pool's extent if it is empty, and grants it to the new one: how many moved. */
  int move() {
    final List<ExtentState> taken = pool(old).takeEmpty(Integer.MAX_VALUE);
    for (final ExtentState extent : taken) {
      if (!pool(next).grant(extent)) {
        throw new IllegalStateException("the extent was not granted");
      }
    }
    return taken.size();
  }

  /** Brings a moved extent back, so that the kit can be used again. */
  void moveBack() {
    for (final ExtentState extent : pool(next).takeEmpty(Integer.MAX_VALUE)) {
      if (!(extent == oldExtent ? pool(old) : pool(next)).grant(extent)) {
        throw new IllegalStateException("the extent was not granted");
      }
    }
  }

  /** Waits for those inside the old generation. */
  void grace() {
    if (pool(old).grace(Long.MAX_VALUE) != 0) {
      throw new IllegalStateException("a stripe was abandoned");
    }
  }

  /** Maps the buffer. */
  long map(final DmaDirection direction) {
    return mapper.map(BUFFER, SIZE, direction, 0);
  }

  /** Which generation placed a mapping: 0 old, 1 new, -1 none. */
  int servedBy(final long bus) {
    return bus < 0 ? -1 : bus < BASE + Extent.SET_SIZE ? 0 : 1;
  }

  /** Unmaps: whether the core accepted it. */
  boolean unmap(final long bus, final DmaDirection direction) {
    try {
      unmapper.unmap(bus, SIZE, direction, 0);
      return true;
    } catch (final DmaUsageException e) {
      return false;
    }
  }

  /** Hands a mapping's buffer to the device: whether the core found it. */
  boolean syncForDevice(final long bus, final DmaDirection direction) {
    try {
      unmapper.sync(bus, SIZE, direction, false);
      return true;
    } catch (final DmaUsageException e) {
      return false;
    }
  }

  /** The device writes a mapping's bytes. */
  void deviceWrites(final long bus) {
    bounce(bus).set(LONG, 0, DEVICES);
    bounce(bus).set(LONG, SIZE - Long.BYTES, DEVICES);
  }

  private MemorySegment bounce(final long bus) {
    return servedBy(bus) == 0 ? oldExtent.memory : nextExtent.memory;
  }

  /** Whether the device reads from a mapping what the driver put into the buffer. */
  boolean deviceReadsBuffer(final long bus) {
    return bounce(bus).get(LONG, 0) == DRIVERS
        && bounce(bus).get(LONG, SIZE - Long.BYTES) == DRIVERS;
  }

  /** Whether the buffer holds what the device wrote. */
  boolean driverReadsDevices() {
    return ram.get(LONG, BUFFER) == DEVICES && ram.get(LONG, BUFFER + SIZE - Long.BYTES) == DEVICES;
  }

  /** Whether the buffer holds what the driver put into it. */
  boolean driverReadsItsOwn() {
    return ram.get(LONG, BUFFER) == DRIVERS && ram.get(LONG, BUFFER + SIZE - Long.BYTES) == DRIVERS;
  }

  /** Whether nothing is left of any mapping: records, counts and slots. */
  boolean clean() {
    return old.live() == 0
        && next.live() == 0
        && empty(oldExtent)
        && empty(nextExtent)
        && pool(old).instance().usedSlots() == 0
        && pool(next).instance().usedSlots() == 0;
  }

  private static boolean empty(final ExtentState extent) {
    return extent.isEmpty()
        && extent.usedSlots() == 0
        && extent.record(extent.extent.busAddress()).state() == MappingRecord.FREE;
  }

  /** How often the old strategy was told of the end of a mapping. */
  int released() {
    return oldStrategy.released() - releasedBefore;
  }

  /** Gives the kit back, if a try left it as it should. */
  void giveBack() {
    if (clean()) {
      next.lender(null);
      begin();
      (nextFull ? FREE_FULL : FREE).add(this);
    }
  }

  private static Pool pool(final Generation generation) {
    return Objects.requireNonNull(generation.pool);
  }
}
