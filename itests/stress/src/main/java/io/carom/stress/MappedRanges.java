package io.carom.stress;

import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** An IOMMU that only knows which ranges are mapped, by their first address. */
final class MappedRanges implements GuestIommu, GuestDomain {
  private static final long GRANULE = 4096;
  private static final long END = (1L << 32) - 1;

  private final Set<Long> mapped = ConcurrentHashMap.newKeySet();

  /** Whether a range that begins there is mapped. */
  boolean mapped(final long iova) {
    return mapped.contains(iova);
  }

  @Override
  public int map(
      final long iova,
      final long[] addresses,
      final long[] lengths,
      final int pieces,
      final int permissions) {
    return mapped.add(iova) ? IommuStatus.OK : IommuStatus.INVAL;
  }

  @Override
  public int map(final long iova, final long address, final long bytes, final int permissions) {
    return mapped.add(iova) ? IommuStatus.OK : IommuStatus.INVAL;
  }

  @Override
  public int unmap(final long iova, final long bytes) {
    return mapped.remove(iova) ? IommuStatus.OK : IommuStatus.RANGE;
  }

  @Override
  public void queueUnmap(final long iova, final long bytes) {
    mapped.remove(iova);
  }

  @Override
  public void flush() {}

  @Override
  public boolean alive() {
    return true;
  }

  @Override
  public int id() {
    return 1;
  }

  @Override
  public void attach(final String device) {}

  @Override
  public void detach(final String device) {}

  @Override
  public void close() {}

  @Override
  public long granule() {
    return GRANULE;
  }

  @Override
  public long inputStart() {
    return 0;
  }

  @Override
  public long inputEnd() {
    return END;
  }

  @Override
  public boolean bypass() {
    return true;
  }

  @Override
  public boolean serves(final String device) {
    return true;
  }

  @Override
  public List<ReservedRange> reserved(final String device) {
    return List.of();
  }

  @Override
  public GuestDomain createDomain(final UnmapFailures failures) {
    return this;
  }

  @Override
  public IommuCounters counters() {
    return new IommuCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  @Override
  public boolean batched() {
    return true;
  }
}
