package io.carom.machine.device;

import io.carom.virtio.RingRecord;
import io.carom.virtio.VirtioState.QueueState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One queue's positions and heads in flight. A queue returns chains in the order in which it took
 * them, so the heads are a ring: taken at one end, cleared at the other.
 *
 * <p><b>Protocol.</b> One thread at a time serves a queue, and calls this inside a section of its
 * bus session; so the fields are plain. Whoever takes the device over first has its port revoked,
 * which waits for the sections that are open, and reads the fields after that: a section's end is a
 * release store which the one that waits has read, so it sees all of what was done in it. Since
 * publishing and clearing happen in the same call, and no call of it is cut in two by an exception,
 * a head is either here, or its used entry is the driver's.
 *
 * <p><b>A section that outlives its deadline</b> is the exception. The table is void then, so the
 * late section's chains are not published, and it ends there; the fields may be read while they are
 * written, which can tell a wrong number but not run out of bounds, and the device that comes next
 * asks for a reset instead of using them. {@code dead} is looked at before the store and not
 * together with it: a thread that is held up exactly between the two publishes once more. It is
 * still inside its section then, like one that is held up in the midst of a request's data; so
 * whoever completes the driver's reset has to know that the section has ended, and nothing here
 * could take that from it.
 */
final class RingTable implements RingRecord {
  private static final VarHandle SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private final char[] heads;
  private int first;
  private int count;
  private int nextAvail;
  private int nextUsed;
  private volatile boolean dead;

  /** A queue with nothing in flight, at this position of both sides. */
  RingTable(final int size, final int start) {
    if (size < 1) {
      throw new IllegalArgumentException("a ring of " + size + " entries");
    }
    heads = new char[size];
    nextAvail = start;
    nextUsed = start;
  }

  /** Publishes nothing from now on. */
  void makeVoid() {
    dead = true;
  }

  @Override
  public void popped(final int head, final int newNextAvail) {
    final int at = first + count; // each at most the size, which is at most 32768
    heads[at < heads.length ? at : at - heads.length] = (char) head;
    count++;
    nextAvail = newNextAvail;
  }

  @Override
  public void rewound(final int chains, final int newNextAvail) {
    count -= chains;
    nextAvail = newNextAvail;
  }

  @Override
  public boolean publishIndex(
      final MemorySegment used,
      final long offset,
      final short index,
      final int chains,
      final int newNextUsed) {
    if (dead) {
      return false;
    }
    SHORT.setRelease(used, offset, index);
    clear(chains, newNextUsed);
    return true;
  }

  @Override
  public boolean publishWord(
      final MemorySegment ring,
      final long offset,
      final long word,
      final int chains,
      final int newNextUsed) {
    if (dead) {
      return false;
    }
    LONG.setRelease(ring, offset, word);
    clear(chains, newNextUsed);
    return true;
  }

  private void clear(final int chains, final int newNextUsed) {
    final int next = first + chains;
    first = next < heads.length ? next : next - heads.length;
    count -= chains;
    nextUsed = newNextUsed;
  }

  /** The state of its queue, with positions and heads as they are. */
  QueueState in(final QueueState registers) {
    final List<Integer> inFlight = new ArrayList<>();
    final int from = first;
    final int taken = Math.clamp(count, 0, heads.length);
    for (int i = 0; i < taken; i++) {
      inFlight.add((int) heads[(from + i) % heads.length]);
    }
    return new QueueState(
        registers.size(),
        registers.enabled(),
        registers.vector(),
        registers.desc(),
        registers.driver(),
        registers.device(),
        nextAvail,
        nextUsed,
        inFlight);
  }
}
