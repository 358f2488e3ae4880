package io.carom.virtio.device.queue;

import io.carom.pci.BusAccess;
import io.carom.pci.BusSession;
import io.carom.virtio.PackedRingDescriptor;
import io.carom.virtio.RingRecord;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The device side of a packed ring: places and wrap counters, publication, and suppression of
 * notifications. What a chain consists of is found by {@link PackedChainWalker}.
 *
 * <p><b>Protocol</b> (virtio 1.4, sections Packed Virtqueues, and Driver and Device Event
 * Suppression). The driver writes the fields of a list and then the flags of its first descriptor;
 * so the fields that have the flags are read with acquire, as one long, before the address and the
 * rest of the list. The device writes the used descriptors of all chains returned together, each
 * length, id and flags as one long, the first of them last and with release: the driver looks at
 * them in their order, so until then it sees none. A used descriptor takes the place of an
 * available one, so none is written before all are: what is not published can be taken again, by
 * this code or, as a {@link RingRecord} says what was taken, by the next version of it. Both sides
 * then look at what the other asks for: each writes its flags (or its event structure) and then
 * reads the other's, with a full fence between, so that at least one of them sees the other's write
 * and no wake-up is lost. An event structure is read and written as one int. Each field that the
 * guest can write is read once into a local, and only the local is checked and used.
 *
 * <p>A chain takes as many entries as its list has descriptors. Its one used descriptor goes to the
 * place of the next entry to be used, and the rest of the entries is skipped. An id is in flight
 * from {@link #pop} to {@link #publish}; ids are the driver's to choose, all of 16 bits. Entries in
 * flight are counted, as a driver can make those look available again.
 *
 * <p><b>With IN_ORDER</b> (section In-order use of descriptors) one used descriptor stands for a
 * batch: it has the id of the batch's last chain and lies at the first entry of its first. Chains
 * without one count as completely written, so one that is not ends its batch.
 *
 * <p><b>Event places.</b> With EVENT_IDX a side is told when the entry that it named is made
 * available or used. Places are compared modulo twice the size, the wrap counter being the upper
 * half; entries that are skipped count. A place that is not in the ring, flags that are reserved,
 * and a place without EVENT_IDX are taken as a wish for every notification, which does no harm.
 */
final class PackedQueue implements VirtQueue {
  /** The wrap counter's bit, beside a place in the ring. */
  static final int WRAP = 1 << 15;

  /** How many buffer ids there are. */
  static final int IDS = 1 << 16;

  private static final VarHandle LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final long UNRESOLVED = -1;
  private static final int FLAGS_SHIFT = PackedRingDescriptor.EVENT_FLAGS * 8;
  private static final int FLAGS_MASK = 3;

  private final QueueSetup setup;
  private final QueueMemory memory;
  private final PackedChainWalker walker;
  private final boolean eventIndex;
  private final boolean inOrder;
  private final int size;

  /** Ids that are in flight. */
  private final long[] inFlight = new long[IDS / Long.SIZE];

  /** Ids of the chains returned since the last publication. */
  private final char[] unpublished;

  /** Ids and entries of the chains popped last, in a ring of its own. */
  private final char[] poppedIds;

  private final char[] poppedSlots;

  private MemorySegment ring = MemorySegment.NULL;
  private MemorySegment driverEvent = MemorySegment.NULL;
  private MemorySegment deviceEvent = MemorySegment.NULL;
  private long version = UNRESOLVED;

  private int availPlace;
  private boolean availWrap;
  private int usedPlace;
  private boolean usedWrap;

  /** Entries of chains popped, and of those among them that are returned but not published. */
  private int slotsInFlight;

  private int slotsReturned;
  private int unpublishedCount;

  /** Where the next chain is noted in {@link #poppedIds}, and the oldest that is not returned. */
  private int popNote;

  private int pushNote;

  /** Used descriptors that are not published: where their fields go, and they. */
  private final int[] usedAt;

  private final long[] usedWords;
  private int usedCount;

  /** Chains of the batch that has no used descriptor yet, where it begins, and what it says. */
  private int batched;

  private int batchPlace;
  private boolean batchWrap;
  private long batchWord;

  private boolean notificationsOff;
  private RingRecord record = PlainRingRecord.INSTANCE;
  private @Nullable TakenBefore before;
  private boolean over;

  /**
   * A queue that goes on from a place.
   *
   * @param start place and wrap counter of the entry to look at next and to use next
   * @param taken buffer ids that are to be found from there on
   */
  PackedQueue(final QueueSetup setup, final int start, final List<Integer> taken) {
    before = taken.isEmpty() ? null : new TakenBefore(taken);
    this.setup = setup;
    memory = new QueueMemory(setup);
    walker = new PackedChainWalker(setup, memory);
    eventIndex = setup.eventIndex();
    inOrder = setup.inOrder();
    size = setup.size();
    unpublished = new char[size];
    poppedIds = new char[size];
    poppedSlots = new char[size];
    usedAt = new int[size];
    usedWords = new long[size];
    availPlace = start & ~WRAP;
    availWrap = (start & WRAP) != 0;
    usedPlace = availPlace;
    usedWrap = availWrap;
  }

  @Override
  public void enter(final BusSession session, final long newVersion) throws QueueException {
    if (newVersion == version) {
      memory.touched(session, setup.desc());
      memory.touched(session, setup.driver());
      memory.touched(session, setup.device());
      return;
    }
    version = UNRESOLVED;
    memory.enter(session, setup.desc());
    final long bytes = PackedRingDescriptor.ringBytes(size);
    memory.area(session, "descriptor", setup.desc(), bytes, BusAccess.READ);
    ring = memory.area(session, "descriptor", setup.desc(), bytes, BusAccess.WRITE);
    walker.ring(ring);
    final long event = PackedRingDescriptor.EVENT_SIZE;
    driverEvent = memory.area(session, "driver", setup.driver(), event, BusAccess.READ);
    deviceEvent = memory.area(session, "device", setup.device(), event, BusAccess.WRITE);
    version = newVersion;
  }

  @Override
  public boolean pop(final BusSession session, final DescriptorChain chain) throws QueueException {
    final long at = PackedRingDescriptor.desc(availPlace) + Long.BYTES;
    final long word = (long) LONG.getAcquire(ring, at);
    if (!PackedChainWalker.available(word, availWrap)) {
      return false;
    }
    walker.walk(session, availPlace, availWrap, word, size - slotsInFlight, chain);
    final int id = chain.head();
    if ((inFlight[id >>> 6] & 1L << id) != 0) {
      throw new QueueException("buffer id " + id + " is available again while it is in flight");
    }
    final TakenBefore again = before;
    if (again != null) {
      again.check(id);
    }
    final int slots = chain.slots();
    inFlight[id >>> 6] |= 1L << id;
    slotsInFlight += slots;
    poppedIds[popNote] = (char) id;
    poppedSlots[popNote] = (char) slots;
    popNote = popNote + 1 == size ? 0 : popNote + 1;
    availPlace += slots;
    if (availPlace >= size) {
      availPlace -= size;
      availWrap = !availWrap;
    }
    record.popped(id, nextAvail());
    if (again != null) {
      again.popped();
    }
    return true;
  }

  @Override
  public void push(final DescriptorChain chain) {
    final int id = chain.head();
    final int written = chain.written();
    final long word = PackedChainWalker.used(id, written, written != 0, false);
    if (inOrder) {
      pushInOrder(id, chain.complete(), word);
    } else {
      use(usedPlace, usedWrap, word);
    }
    pushNote = pushNote + 1 == size ? 0 : pushNote + 1;
    unpublished[unpublishedCount++] = (char) id;
    slotsReturned += chain.slots();
    usedPlace += chain.slots();
    if (usedPlace >= size) {
      usedPlace -= size;
      usedWrap = !usedWrap;
    }
  }

  private void pushInOrder(final int id, final boolean complete, final long word) {
    if (poppedIds[pushNote] != id) {
      throw new IllegalStateException("chain " + id + " is returned out of order");
    }
    if (batched == 0) {
      batchPlace = usedPlace;
      batchWrap = usedWrap;
    }
    batched++;
    batchWord = word;
    if (!complete) {
      endBatch();
    }
  }

  private void endBatch() {
    if (batched > 0) {
      use(batchPlace, batchWrap, batchWord);
      batched = 0;
    }
  }

  /** Notes a used descriptor, to be written when it is published. */
  private void use(final int place, final boolean wrap, final long word) {
    // at most 32768 entries of 16 bytes
    usedAt[usedCount] = (int) PackedRingDescriptor.desc(place) + Long.BYTES;
    usedWords[usedCount] = wrap ? word | PackedChainWalker.used(0, 0, false, true) : word;
    usedCount++;
  }

  @Override
  public void rewind(final int chains) {
    if (chains == 0) {
      return;
    }
    for (int i = 0; i < chains; i++) {
      popNote = popNote == 0 ? size - 1 : popNote - 1;
      // the driver may have changed its descriptors meanwhile: what was popped is given up
      final int id = poppedIds[popNote];
      final int slots = poppedSlots[popNote];
      inFlight[id >>> 6] &= ~(1L << id);
      slotsInFlight -= slots;
      availPlace -= slots;
      if (availPlace < 0) {
        availPlace += size;
        availWrap = !availWrap;
      }
    }
    record.rewound(chains, nextAvail());
    if (before != null) {
      before.rewound(chains);
    }
  }

  @Override
  public boolean publish() {
    if (unpublishedCount == 0) {
      return false;
    }
    endBatch();
    for (int i = 0; i < unpublishedCount; i++) {
      final int id = unpublished[i];
      inFlight[id >>> 6] &= ~(1L << id);
    }
    final int slots = slotsReturned;
    final int chains = unpublishedCount;
    unpublishedCount = 0;
    slotsReturned = 0;
    slotsInFlight -= slots;
    if (!written(chains)) {
      over = true;
      return false;
    }
    if (before != null && before.over()) {
      before = null;
    }
    VarHandle.fullFence();
    return wanted((int) INT.getOpaque(driverEvent, 0L), slots);
  }

  /** Writes the used descriptors, the first one last; false when another incarnation does. */
  private boolean written(final int chains) {
    for (int i = 1; i < usedCount; i++) {
      LONG.setOpaque(ring, (long) usedAt[i], usedWords[i]);
    }
    usedCount = 0;
    return record.publishWord(ring, usedAt[0], usedWords[0], chains, nextUsed());
  }

  /** Whether the driver wants to be told of the {@code slots} entries that were used last. */
  private boolean wanted(final int event, final int slots) {
    final int flags = event >>> FLAGS_SHIFT & FLAGS_MASK;
    if (flags == PackedRingDescriptor.EVENT_DISABLE) {
      return false;
    }
    final int place = event & WRAP - 1;
    if (flags != PackedRingDescriptor.EVENT_AT || !eventIndex || place >= size) {
      return true;
    }
    // how far before the next entry to be used it is: 1 is the one used last
    final int ahead = line(usedPlace, usedWrap) - line(place, (event & WRAP) != 0);
    return (ahead <= 0 ? ahead + 2 * size : ahead) <= slots;
  }

  private int line(final int place, final boolean wrap) {
    return wrap ? place : place + size;
  }

  @Override
  public void disableNotifications() {
    // With event indexes a stale place is quiet enough: it is passed once in two rounds.
    if (!eventIndex && !notificationsOff) {
      notificationsOff = true;
      INT.setOpaque(deviceEvent, 0L, PackedRingDescriptor.EVENT_DISABLE << FLAGS_SHIFT);
    }
  }

  @Override
  public boolean enableNotifications() {
    if (eventIndex) {
      INT.setOpaque(deviceEvent, 0L, PackedRingDescriptor.EVENT_AT << FLAGS_SHIFT | nextAvail());
    } else {
      notificationsOff = false;
      INT.setOpaque(deviceEvent, 0L, PackedRingDescriptor.EVENT_ENABLE);
    }
    VarHandle.fullFence();
    final long at = PackedRingDescriptor.desc(availPlace) + Long.BYTES;
    return PackedChainWalker.available((long) LONG.getOpaque(ring, at), availWrap);
  }

  @Override
  public int nextAvail() {
    return availWrap ? availPlace | WRAP : availPlace;
  }

  @Override
  public int nextUsed() {
    return usedWrap ? usedPlace | WRAP : usedPlace;
  }

  @Override
  public boolean idle() {
    return slotsInFlight == 0;
  }

  @Override
  public List<Integer> inFlight() {
    final List<Integer> ids = new ArrayList<>();
    for (int left = slotsInFlight, i = pushNote; left > 0; i = i + 1 == size ? 0 : i + 1) {
      ids.add((int) poppedIds[i]);
      left -= poppedSlots[i];
    }
    return ids;
  }

  @Override
  public void keep(final RingRecord wanted) {
    record = wanted;
  }

  @Override
  public boolean over() {
    return over;
  }
}
