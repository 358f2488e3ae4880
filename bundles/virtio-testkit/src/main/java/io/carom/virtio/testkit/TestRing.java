package io.carom.virtio.testkit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The driver's side of one virtqueue. What is here keeps the rules of the layout, whatever the
 * descriptors say: chains get descriptors that are free, and those that come back are free again.
 * The layouts themselves let a test write any field of the ring, and keep no rule.
 *
 * <p>Not thread-safe; the device may work on the ring at the same time.
 */
public abstract sealed class TestRing permits SplitRing, PackedRing {
  private final TestMemory memory;
  private final int size;
  private final long desc;
  private final long driver;
  private final long device;
  private final Deque<Used> batch = new ArrayDeque<>();
  private final List<Integer> outstanding = new ArrayList<>();
  private boolean inOrder;

  TestRing(
      final TestMemory memory,
      final int size,
      final long desc,
      final long driver,
      final long device) {
    this.memory = memory;
    this.size = size;
    this.desc = desc;
    this.driver = driver;
    this.device = device;
  }

  /** Where the next area begins, behind one of {@code bytes} bytes. */
  static long behind(final long area, final long bytes) {
    return area + (bytes + TestMemory.PAGE - 1) / TestMemory.PAGE * TestMemory.PAGE;
  }

  /** The memory that the ring is in. */
  public final TestMemory memory() {
    return memory;
  }

  /** Number of descriptors. */
  public final int size() {
    return size;
  }

  /** Address of the descriptor area. */
  public final long desc() {
    return desc;
  }

  /** Address of the driver area. */
  public final long driver() {
    return driver;
  }

  /** Address of the device area. */
  public final long device() {
    return device;
  }

  /** Says that IN_ORDER was negotiated: one used entry may return several chains. */
  public final TestRing inOrder() {
    inOrder = true;
    return this;
  }

  /** Its layout. */
  public abstract RingLayout layout();

  /**
   * Makes a chain of these descriptors available, each but the last linked to the next.
   *
   * @return the id with which it will come back
   * @throws IllegalStateException when there are not enough free descriptors
   */
  public final int add(final Element... elements) {
    final int id = place(elements);
    publish();
    return id;
  }

  /**
   * As {@link #add}, but the device is not told yet: {@link #publish} makes it available, with all
   * that were placed before.
   */
  public final int place(final Element... elements) {
    if (elements.length == 0) {
      throw new IllegalArgumentException("a chain of nothing");
    }
    final int id = link(elements);
    outstanding.add(id);
    return id;
  }

  /** A well-formed chain: what the device reads, then what it writes. */
  public final int chain(final List<Element> readable, final List<Element> writable) {
    final List<Element> all = new ArrayList<>(readable);
    all.addAll(writable);
    return add(all.toArray(Element[]::new));
  }

  abstract int link(Element... elements);

  /** Makes available what was placed. */
  public abstract void publish();

  /**
   * Writes an indirect table in this layout, its entries in order.
   *
   * @return the descriptor that names it
   */
  public abstract Element indirect(long table, Element... entries);

  /** The next chain that the device has returned, or null when there is none. */
  public final @Nullable Used take() {
    if (batch.isEmpty()) {
      final Used used = next();
      if (used == null) {
        return null;
      }
      arrived(used);
    }
    return batch.poll();
  }

  private void arrived(final Used used) {
    final int place = outstanding.indexOf(used.id());
    if (inOrder && place > 0) {
      // the last of a batch stands for all before it, which were used as a whole
      for (final int earlier : outstanding.subList(0, place)) {
        batch.add(new Used(earlier, 0));
      }
      skip(place, List.copyOf(outstanding.subList(0, place)));
      outstanding.subList(0, place + 1).clear();
    } else if (place >= 0) {
      outstanding.remove(place);
    }
    batch.add(used);
    release(used.id());
  }

  /** Chains that are neither taken nor known to be returned. */
  public final int outstanding() {
    return outstanding.size();
  }

  /** The used entry that the device wrote next, or null. */
  abstract @Nullable Used next();

  /** A used entry stood for {@code chains} chains before its own, too. */
  abstract void skip(int chains, List<Integer> ids);

  /** The descriptors of a chain are free again. */
  abstract void release(int id);

  /** Asks the device for a notification at each chain that it returns, or for none. */
  public abstract void notifications(boolean wanted);

  /** With EVENT_IDX: asks for one notification, when as many more chains have been returned. */
  public abstract void notifyAfter(int chains);

  /** Whether the device asks to be told of the chains published last. */
  public abstract boolean kickWanted(boolean eventIndex);

  @Override
  public final String toString() {
    return layout() + " of " + size + " at " + Arrays.toString(new long[] {desc, driver, device});
  }
}
