package io.carom.virtio.device.queue;

import io.carom.pci.BusAccess;
import io.carom.pci.BusSession;
import io.carom.virtio.RingRecord;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The device side of a split ring: indices, publication and suppression of notifications. What a
 * chain consists of is found by {@link SplitChainWalker}.
 *
 * <p><b>Protocol</b> (virtio 1.4, sections The Virtqueue Available Ring, The Virtqueue Used Ring,
 * and Used Buffer Notification Suppression). The driver writes entry, then index; so the index is
 * read with acquire before the entry and the descriptors. The device writes data and used entry,
 * then the used index with release. Both sides then look at what the other asks for: each writes
 * its index (or event index) and then reads the other's, with a full fence between, so that at
 * least one of them sees the other's write and no wake-up is lost. Each field that the guest can
 * write is read once into a local, and only the local is checked and used.
 *
 * <p>A head is in flight from {@link #pop} to {@link #publish}; a driver that makes it available
 * again meanwhile has lost track of its buffers. After publication the head is the driver's again,
 * and may come back as often as it likes. What is taken, given up and returned is written through
 * to a {@link RingRecord}, which publishes the index: in one step with clearing the heads, so that
 * the next version of the device's code serves what this one left, and nothing else.
 *
 * <p><b>With IN_ORDER</b> (section In-order use of descriptors) one used entry stands for a batch:
 * it has the head of the batch's last chain and lies where the entry of its first would, and the
 * index goes on by all of them. Chains without an entry count as completely written, so one that is
 * not ends its batch.
 *
 * <p>Each area must be contiguous behind an IOMMU, as an entry is found by its place in it: one in
 * pieces is refused when the queue is enabled, and breaks it when the IOMMU's mapping comes to
 * scatter it later. Buffers and indirect tables may lie in pieces.
 */
final class SplitQueue implements VirtQueue {
  private static final VarHandle SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final ValueLayout.OfLong ENTRY =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long UNRESOLVED = -1;

  private final QueueSetup setup;
  private final QueueMemory memory;
  private final SplitChainWalker walker;
  private final boolean eventIndex;
  private final boolean inOrder;
  private final int size;
  private final int mask;
  private final long usedEventOffset;
  private final long availEventOffset;
  private final long[] inFlight;

  /** Heads returned since the last publication; they are distinct, so {@code size} is enough. */
  private final char[] unpublished;

  /** The head that was popped at each entry of the driver area. */
  private final char[] popped;

  private MemorySegment avail = MemorySegment.NULL;
  private MemorySegment used = MemorySegment.NULL;
  private long version = UNRESOLVED;

  /** Next entry of the driver area to take, modulo 2^16. */
  private int nextAvail;

  /** The driver's index as last read. */
  private int seenAvail;

  /** Where the next used entry goes, modulo 2^16; ahead of what is published. */
  private int nextUsed;

  /** The published used index. */
  private int publishedUsed;

  private int unpublishedCount;

  /** Chains of the batch that has no used entry yet, where it begins, and what ended it so far. */
  private int batched;

  private int batchStart;
  private int batchHead;
  private int batchWritten;
  private boolean notificationsOff;
  private RingRecord record = PlainRingRecord.INSTANCE;
  private @Nullable TakenBefore before;
  private boolean over;

  /**
   * A queue that goes on from indices; both are 0 in a new one.
   *
   * @param start the available index to look at next, and the used index
   * @param taken heads that are to be found from there on
   */
  SplitQueue(final QueueSetup setup, final int start, final List<Integer> taken) {
    before = taken.isEmpty() ? null : new TakenBefore(taken);
    this.setup = setup;
    memory = new QueueMemory(setup);
    eventIndex = setup.eventIndex();
    inOrder = setup.inOrder();
    size = setup.size();
    mask = size - 1;
    walker = new SplitChainWalker(setup, memory);
    usedEventOffset = SplitRingDescriptor.usedEvent(size);
    availEventOffset = SplitRingDescriptor.availEvent(size);
    inFlight = new long[(size + Long.SIZE - 1) / Long.SIZE];
    unpublished = new char[size];
    popped = new char[size];
    nextAvail = start;
    seenAvail = start;
    nextUsed = start;
    publishedUsed = start;
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
    walker.table(
        memory.area(
            session,
            "descriptor",
            setup.desc(),
            SplitRingDescriptor.descBytes(size),
            BusAccess.READ));
    avail =
        memory.area(
            session,
            "driver",
            setup.driver(),
            SplitRingDescriptor.availBytes(size),
            BusAccess.READ);
    used =
        memory.area(
            session,
            "device",
            setup.device(),
            SplitRingDescriptor.usedBytes(size),
            BusAccess.WRITE);
    version = newVersion;
  }

  @Override
  public boolean pop(final BusSession session, final DescriptorChain chain) throws QueueException {
    if (nextAvail == seenAvail && !look()) {
      return false;
    }
    final int head =
        (short) SHORT.getOpaque(avail, SplitRingDescriptor.availEntry(nextAvail & mask)) & 0xffff;
    if (head >= size) {
      throw new QueueException("head " + head + " is not below the queue's size " + size);
    }
    if ((inFlight[head >>> 6] & 1L << head) != 0) {
      throw new QueueException("head " + head + " is available again while it is in flight");
    }
    final TakenBefore again = before;
    if (again != null) {
      again.check(head);
    }
    walker.walk(session, head, chain);
    inFlight[head >>> 6] |= 1L << head;
    popped[nextAvail & mask] = (char) head;
    nextAvail = nextAvail + 1 & 0xffff;
    record.popped(head, nextAvail);
    if (again != null) {
      again.popped();
    }
    return true;
  }

  /** Reads the driver's index; whether there is anything to take. */
  private boolean look() throws QueueException {
    final int index = (short) SHORT.getAcquire(avail, (long) SplitRingDescriptor.IDX) & 0xffff;
    final int ahead = index - nextAvail & 0xffff;
    if (ahead > size) {
      throw new QueueException(
          "the available index went from "
              + nextAvail
              + " to "
              + index
              + ", further than the "
              + size
              + " entries of the queue");
    }
    seenAvail = index;
    return ahead != 0;
  }

  @Override
  public void push(final DescriptorChain chain) {
    final int head = chain.head();
    if (inOrder) {
      pushInOrder(head, chain);
    } else {
      use(nextUsed, head, chain.written());
    }
    nextUsed = nextUsed + 1 & 0xffff;
    unpublished[unpublishedCount++] = (char) head;
  }

  private void pushInOrder(final int head, final DescriptorChain chain) {
    if (popped[nextUsed & mask] != head) {
      throw new IllegalStateException("chain " + head + " is returned out of order");
    }
    if (batched == 0) {
      batchStart = nextUsed;
    }
    batched++;
    batchHead = head;
    batchWritten = chain.written();
    if (!chain.complete()) {
      endBatch(); // a chain without an entry of its own counts as completely written
    }
  }

  private void endBatch() {
    if (batched > 0) {
      use(batchStart, batchHead, batchWritten);
      batched = 0;
    }
  }

  private void use(final int index, final int head, final int length) {
    // id, then length: entries are aligned to 4 only
    final long entry = (long) length << Integer.SIZE | head;
    used.set(ENTRY, SplitRingDescriptor.usedEntry(index & mask), entry);
  }

  @Override
  public void rewind(final int chains) {
    if (chains == 0) {
      return;
    }
    for (int i = 0; i < chains; i++) {
      nextAvail = nextAvail - 1 & 0xffff;
      // the driver may have changed the entry meanwhile: what was popped is what is given up
      final int head = popped[nextAvail & mask];
      inFlight[head >>> 6] &= ~(1L << head);
    }
    record.rewound(chains, nextAvail);
    if (before != null) {
      before.rewound(chains);
    }
  }

  @Override
  public boolean publish() {
    final int old = publishedUsed;
    if (old == nextUsed) {
      return false;
    }
    for (int i = 0; i < unpublishedCount; i++) {
      final int head = unpublished[i];
      inFlight[head >>> 6] &= ~(1L << head);
    }
    final int chains = unpublishedCount;
    unpublishedCount = 0;
    endBatch();
    if (!record.publishIndex(used, SplitRingDescriptor.IDX, (short) nextUsed, chains, nextUsed)) {
      over = true;
      return false;
    }
    publishedUsed = nextUsed;
    if (before != null && before.over()) {
      before = null;
    }
    VarHandle.fullFence();
    if (eventIndex) {
      final int event = (short) SHORT.getOpaque(avail, usedEventOffset) & 0xffff;
      return SplitRingDescriptor.needsEvent(event, nextUsed, old);
    }
    final int flags = (short) SHORT.getOpaque(avail, (long) SplitRingDescriptor.FLAGS);
    return (flags & SplitRingDescriptor.AVAIL_F_NO_INTERRUPT) == 0;
  }

  @Override
  public void disableNotifications() {
    // With event indexes a stale avail_event is already as quiet as can be, and flags stay 0.
    if (!eventIndex && !notificationsOff) {
      notificationsOff = true;
      SHORT.setOpaque(
          used, (long) SplitRingDescriptor.FLAGS, (short) SplitRingDescriptor.USED_F_NO_NOTIFY);
    }
  }

  @Override
  public boolean enableNotifications() throws QueueException {
    if (eventIndex) {
      SHORT.setOpaque(used, availEventOffset, (short) nextAvail);
    } else {
      notificationsOff = false;
      SHORT.setOpaque(used, (long) SplitRingDescriptor.FLAGS, (short) 0);
    }
    VarHandle.fullFence();
    return nextAvail != seenAvail || look();
  }

  @Override
  public int nextAvail() {
    return nextAvail;
  }

  @Override
  public int nextUsed() {
    return publishedUsed;
  }

  @Override
  public boolean idle() {
    return nextAvail == publishedUsed;
  }

  @Override
  public List<Integer> inFlight() {
    final List<Integer> heads = new ArrayList<>();
    for (int i = publishedUsed; i != nextAvail; i = i + 1 & 0xffff) {
      heads.add((int) popped[i & mask]);
    }
    return heads;
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
