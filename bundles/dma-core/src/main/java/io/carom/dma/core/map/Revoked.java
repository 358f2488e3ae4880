package io.carom.dma.core.map;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The mappings of one device that the core has revoked and its driver has not unmapped yet.
 *
 * <p><b>What it is for.</b> The driver still has their addresses, and will unmap or sync them: that
 * is not its mistake, so it is quiet and counted. And it must never end or touch another mapping
 * that has the same address since. So no such mapping is made for this device: a strategy may hand
 * out the slots again, but where a run of them overlaps a mapping that is remembered here the run
 * is <em>set aside</em> and the strategy is asked once more. What was set aside is given back when
 * the driver has unmapped. Other devices may have the address at once: a record names its device.
 * Mappings in place share their address with others of the same buffer anyway; of two equal ones
 * the revoked one is unmapped first, so that none ends too soon.
 *
 * <p><b>Order.</b> A mapping is remembered before its record is claimed for revoking, and forgotten
 * again if a driver's unmap has claimed it first. So an unmap that comes too late for the record
 * always finds it here, whenever that is. And whoever takes a slot that was revoked has had the
 * lock of its stripe since, so {@link #any} has told it the truth although it takes no lock.
 *
 * <p>Its monitor is taken inside stripe and shard locks, and takes none itself.
 */
public final class Revoked {
  private final TreeMap<Long, ArrayDeque<Entry>> byAddress = new TreeMap<>(); // guarded by this
  private final LongAdder quiet = new LongAdder();
  private long longest; // guarded by this
  private int waiting; // guarded by this
  private volatile int pending; // the same, for those who do not take the monitor

  Revoked() {}

  /** One mapping. */
  static final class Entry {
    private final long busAddress;
    private final long size;
    private final int direction;
    private final boolean inPlace;
    private final List<Runnable> aside = new ArrayList<>(); // guarded by the table's monitor
    private @Nullable Runnable ending; // guarded by this, as the next
    private boolean ended;

    Entry(final long busAddress, final long size, final int direction, final boolean inPlace) {
      this.busAddress = busAddress;
      this.size = size;
      this.direction = direction;
      this.inPlace = inPlace;
    }

    /** What is to be done when the driver has unmapped it, or never will. */
    void ending(final Runnable action) {
      synchronized (this) {
        if (!ended) {
          ending = action;
          return;
        }
      }
      action.run(); // it was faster
    }

    private void end() {
      final Runnable action;
      synchronized (this) {
        action = ended ? null : ending;
        ended = true;
      }
      if (action != null) {
        action.run();
      }
    }

    private boolean overlaps(final long from, final long end) {
      return busAddress < end && busAddress + size > from; // both below 2^48
    }
  }

  /** Whether there is any. */
  boolean any() {
    return pending != 0;
  }

  /** How many there are. */
  public int pending() {
    return pending;
  }

  /** Unmaps and syncs of the driver that found a mapping revoked. */
  public long quiet() {
    return quiet.sum();
  }

  /** Remembers a mapping that is about to be revoked. */
  synchronized void add(final Entry entry) {
    byAddress.computeIfAbsent(entry.busAddress, a -> new ArrayDeque<>()).add(entry);
    longest = Math.max(longest, entry.size);
    count(1);
  }

  /** A mapping was not revoked after all: its driver has just unmapped it. */
  synchronized void forget(final Entry entry) {
    final ArrayDeque<Entry> same = byAddress.get(entry.busAddress);
    if (same != null && same.remove(entry)) {
      dropEmpty(entry.busAddress, same);
      count(-1);
    }
  }

  private void count(final int more) {
    waiting += more;
    pending = waiting;
  }

  private void dropEmpty(final long busAddress, final ArrayDeque<Entry> same) {
    if (same.isEmpty()) {
      byAddress.remove(busAddress);
      longest = byAddress.isEmpty() ? 0 : longest;
    }
  }

  /**
   * The driver unmaps: forgets the mapping if it was revoked, and gives back what was set aside for
   * its sake. Under no lock of a stripe.
   *
   * @param inPlaceOnly whether only one in place is meant
   * @return whether it was revoked
   */
  boolean unmapped(
      final long busAddress, final long size, final int direction, final boolean inPlaceOnly) {
    final Entry entry = take(busAddress, size, direction, inPlaceOnly);
    if (entry == null) {
      return false;
    }
    quiet.increment();
    giveBackAside(entry);
    entry.end();
    return true;
  }

  private void giveBackAside(final Entry entry) {
    final List<Runnable> aside;
    synchronized (this) {
      aside = List.copyOf(entry.aside);
      entry.aside.clear();
    }
    aside.forEach(Runnable::run);
  }

  private synchronized @Nullable Entry take(
      final long busAddress, final long size, final int direction, final boolean inPlaceOnly) {
    final ArrayDeque<Entry> same = byAddress.get(busAddress);
    if (same == null) {
      return null;
    }
    for (final Iterator<Entry> i = same.iterator(); i.hasNext(); ) {
      final Entry entry = i.next();
      if (entry.size == size && entry.direction == direction && (entry.inPlace || !inPlaceOnly)) {
        i.remove();
        dropEmpty(busAddress, same);
        count(-1);
        return entry;
      }
    }
    return null;
  }

  /** The driver syncs: whether that is within a mapping that was revoked. */
  boolean synced(final long busAddress, final long size) {
    if (size < 0 || !within(busAddress, size)) {
      return false;
    }
    quiet.increment();
    return true;
  }

  private synchronized boolean within(final long busAddress, final long size) {
    for (final ArrayDeque<Entry> same : near(busAddress, busAddress + 1)) {
      for (final Entry entry : same) {
        if (busAddress >= entry.busAddress && busAddress - entry.busAddress <= entry.size - size) {
          return true;
        }
      }
    }
    return false;
  }

  private Iterable<ArrayDeque<Entry>> near(final long from, final long end) {
    return byAddress.subMap(from - longest, false, end, false).values();
  }

  /**
   * Sets a run aside if a mapping there could be mistaken for one that was revoked. Under the lock
   * of the run's stripe.
   *
   * @param giveBack is called when that is unmapped, under no lock
   * @return false when it may be used; nothing was done
   */
  synchronized boolean setAside(final long busAddress, final long size, final Runnable giveBack) {
    for (final ArrayDeque<Entry> same : near(busAddress, busAddress + size)) {
      for (final Entry entry : same) {
        if (entry.overlaps(busAddress, busAddress + size)) {
          entry.aside.add(giveBack);
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The device is closed: nothing is mapped for it any more, so nothing needs to be set aside, and
   * others of its domain may have the addresses.
   */
  public void close() {
    final List<Entry> all = new ArrayList<>();
    synchronized (this) {
      byAddress.values().forEach(all::addAll);
    }
    all.forEach(this::giveBackAside);
    all.forEach(Entry::end);
  }
}
