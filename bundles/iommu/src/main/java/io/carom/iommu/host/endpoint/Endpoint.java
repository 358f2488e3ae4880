package io.carom.iommu.host.endpoint;

import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.fault.FaultLog;
import io.carom.iommu.host.table.Domain;
import io.carom.iommu.host.table.Pte;
import io.carom.pci.BusAccess;
import io.carom.pci.Translation;
import org.jspecify.annotations.Nullable;

/**
 * A function as the IOMMU sees it: the domain that it is attached to, and the translation that its
 * port asks. {@code domain} and {@code held} are written under the IOMMU's lock and read by device
 * threads without; a write is followed by an invalidation of the cache here, and then by a change
 * of the port's translation, which waits for accesses that read the old state.
 */
public final class Endpoint implements Translation {
  private final String port;
  private final int number;
  private final FaultLog faults;
  private final Iotlb tlb = new Iotlb();
  private volatile @Nullable Domain domain;
  private volatile boolean held;
  private boolean unsettled;

  /**
   * An endpoint that is attached to nothing.
   *
   * @param port name of its port
   * @param number its number in requests and events
   */
  public Endpoint(final String port, final int number, final FaultLog faults) {
    this.port = port;
    this.number = number;
    this.faults = faults;
  }

  /** Name of its port. */
  public String port() {
    return port;
  }

  /** Its number in requests and events. */
  public int number() {
    return number;
  }

  /** What it is attached to, or null. */
  public @Nullable Domain domain() {
    return domain;
  }

  /** Whether its accesses are blocked, although it is attached to nothing, until it is attached. */
  public boolean held() {
    return held;
  }

  /**
   * Attaches it, or detaches it; drops what was cached. Under the IOMMU's lock.
   *
   * @param hold whether it is blocked while it is detached, whatever the IOMMU does with others
   */
  public void move(final @Nullable Domain next, final boolean hold) {
    held = hold;
    domain = next;
    tlb.flush();
  }

  /**
   * Whether an access outlived the wait for its end, so that the next one who asks must wait again.
   * Under the IOMMU's lock.
   */
  public boolean unsettled() {
    return unsettled;
  }

  /** What a wait for the end of accesses came to. Under the IOMMU's lock. */
  public boolean settled(final boolean ended) {
    unsettled = !ended;
    return ended;
  }

  /** Drops what is cached of a range that its domain has unmapped. Under the IOMMU's lock. */
  public void invalidate(final long start, final long last) {
    tlb.invalidate(start, last);
  }

  @Override
  public long translate(final long address, final long length, final BusAccess access) {
    final int flag = flag(access);
    // Addresses are unsigned: the last byte is below the first only if the run wraps around.
    final long last = address + (length - 1);
    long entry = entry(address);
    if (length < 1 || Long.compareUnsigned(last, address) < 0 || !Pte.allows(entry, flag)) {
      return fault(flag, address);
    }
    final long behind = Pte.behind(entry, address);
    long end = Pte.last(entry, address);
    while (Long.compareUnsigned(end, last) < 0) {
      final long next = end + 1; // no overflow: the end is below another address
      entry = entry(next);
      if (!Pte.allows(entry, flag)) {
        return fault(flag, next);
      }
      if (Pte.behind(entry, next) != behind + (next - address)) {
        // Mapped, but elsewhere: the port was to ask how far the run goes, and did not.
        faults.record(VirtioIommuDescriptor.FAULT_UNKNOWN, flag, this, next);
        return FAULT;
      }
      end = Pte.last(entry, next);
    }
    return behind;
  }

  @Override
  public long contiguous(final long address, final long length, final BusAccess access) {
    final int flag = flag(access);
    final long last = address + (length - 1);
    long entry = entry(address);
    if (Long.compareUnsigned(last, address) < 0 || !Pte.allows(entry, flag)) {
      return length; // who translates it hears of the fault
    }
    final long behind = Pte.behind(entry, address);
    long end = Pte.last(entry, address);
    while (Long.compareUnsigned(end, last) < 0) {
      final long next = end + 1;
      entry = entry(next);
      if (!Pte.allows(entry, flag) || Pte.behind(entry, next) != behind + (next - address)) {
        return next - address;
      }
      end = Pte.last(entry, next);
    }
    return length;
  }

  private static int flag(final BusAccess access) {
    return access == BusAccess.READ
        ? VirtioIommuDescriptor.MAP_F_READ
        : VirtioIommuDescriptor.MAP_F_WRITE;
  }

  /** The order of the loads is the protocol of {@link Iotlb}: generation, domain, page table. */
  private long entry(final long address) {
    final long cached = tlb.get(address);
    if (cached != Pte.NONE) {
      return cached;
    }
    final long generation = tlb.generation();
    final Domain now = domain;
    if (now == null) {
      return Pte.NONE;
    }
    final long entry = now.walk(address);
    if (entry != Pte.NONE) {
      tlb.put(address, entry, generation);
    }
    return entry;
  }

  private long fault(final int flag, final long address) {
    final int reason =
        domain == null ? VirtioIommuDescriptor.FAULT_DOMAIN : VirtioIommuDescriptor.FAULT_MAPPING;
    // The flags of a fault have the values of the permissions that were missed.
    faults.record(reason, flag, this, address);
    return FAULT;
  }

  /** Lookups that the cache answered. */
  public long hits() {
    return tlb.hits();
  }

  /** Lookups that it did not answer. */
  public long misses() {
    return tlb.misses();
  }

  /** Entries that invalidations dropped. */
  public long dropped() {
    return tlb.dropped();
  }
}
