package io.carom.dma.core.map;

import io.carom.dma.DmaDirection;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.iova.Remapped;
import io.carom.dma.core.map.Revoked.Entry;
import io.carom.dma.core.pool.Backing;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.iommu.IommuStatus;
import org.jspecify.annotations.Nullable;

/**
 * Ends mappings of a device without their driver: what is left of a generation whose device was
 * fenced.
 *
 * <p><b>Against an unmap.</b> A bounce is ended under its stripe's lock and by claiming its record,
 * as an unmap does, so exactly one of the two ends it. One that is COPYING was claimed by an unmap,
 * which goes on: its bytes are delivered, its slots are in use until it has finished, and the
 * generation counts it as live until then. Where the revoke claims first nothing is copied back,
 * and the unmap finds the mapping among those {@link Revoked}. No map begins in the generation any
 * more, so what is found once is all there is.
 */
public final class Revoker {
  private final CoreTables tables;
  private final Mapper mapper;
  private final Unmapper unmapper;
  private final Revoked revoked;

  /** For a device. */
  public Revoker(final CoreTables tables, final Mapper mapper, final Unmapper unmapper) {
    this.tables = tables;
    this.mapper = mapper;
    this.unmapper = unmapper;
    this.revoked = mapper.revoked();
  }

  /** Mappings that only a reset of the device makes safe to revoke. */
  public long needingReset(final Generation generation) {
    final Pool pool = generation.pool;
    long sum = generation.passes();
    if (pool == null) {
      return sum;
    }
    for (final ExtentState extent : pool.grantedNow()) {
      for (final MappingRecord record : extent.records()) {
        if (MappingRecord.isMapping(record.state())
            && record.generation() == generation.slot()
            && record.direction() != DmaDirection.TO_DEVICE.ordinal()) {
          sum++;
        }
      }
    }
    return sum;
  }

  /**
   * Revokes what lives of a generation; nothing of it is copied.
   *
   * @return how many mappings; those whose unmap has begun are not among them
   */
  public long revoke(final Generation generation) {
    final Pool pool = generation.pool;
    if (pool == null) {
      return 0;
    }
    long sum = 0;
    for (final ExtentState extent : pool.grantedNow()) {
      for (final MappingRecord record : extent.records()) {
        if (isOf(record, generation) && revoke(extent, record, generation)) {
          sum++;
        }
      }
    }
    sum += revokePasses(generation);
    final DmaDomain domain = mapper.domain();
    return domain != null && domain.index() == pool.index()
        ? sum + revokeRemaps(domain, generation)
        : sum;
  }

  private static boolean isOf(final MappingRecord record, final Generation generation) {
    return record.state() == MappingRecord.LIVE && record.generation() == generation.slot();
  }

  private boolean revoke(
      final ExtentState extent, final MappingRecord record, final Generation generation) {
    final long me = Thread.currentThread().threadId();
    while (true) {
      final Stripe stripe = extent.stripe();
      if (stripe == null) {
        return false; // empty since: the mapping has ended
      }
      if (!stripe.lock(me)) {
        return claim(record, generation, MappingRecord.FREE)
            && unmapper.endedAbandoned(record.busAddress);
      }
      try {
        if (extent.stripe() != stripe) {
          continue;
        }
        if (!claim(record, generation, MappingRecord.COPYING)) {
          return false;
        }
        final Backing backing = extent.backing;
        if (backing != null) {
          backing.end(tables.copier(), record.busAddress, record.size);
          backing.list(null);
        }
        unmapper.forget(record.busAddress);
        generation.cell(stripe.index).unmapped(0, record.runSlots());
        stripe.pool.end(stripe, extent, record);
        return true;
      } finally {
        stripe.unlock();
      }
    }
  }

  /** Remembers a mapping and claims it, or neither. */
  private boolean claim(final MappingRecord record, final Generation generation, final int to) {
    if (!isOf(record, generation)) {
      return false;
    }
    final Entry entry = new Entry(record.busAddress, record.size, record.direction(), false);
    revoked.add(entry);
    if (record.claim(to)) {
      return true;
    }
    revoked.forget(entry);
    return false;
  }

  private long revokePasses(final Generation generation) {
    return tables
        .passes()
        .revoke(
            generation,
            (bus, size, direction, slot, count, tick) -> {
              for (int i = 0; i < count; i++) {
                revoked.add(new Entry(bus, size, direction, true));
              }
            });
  }

  /** Their addresses are given back when the driver has unmapped them. */
  private long revokeRemaps(final DmaDomain domain, final Generation generation) {
    final Remapped record = new Remapped();
    final @Nullable Entry[] entry = new Entry[1];
    long sum = 0;
    int shard = 0;
    while (true) {
      shard =
          domain
              .remaps()
              .claimNext(
                  generation,
                  shard,
                  record,
                  found -> {
                    entry[0] = new Entry(found.busAddress, found.size, found.direction, false);
                    revoked.add(entry[0]);
                  });
      final Entry made = entry[0];
      if (shard < 0 || made == null) {
        return sum;
      }
      final long iova = record.iova;
      final long bytes = record.ioBytes;
      final int stripe = record.stripe;
      final boolean unmapped = domain.guest().unmap(iova, bytes) == IommuStatus.OK;
      made.ending(
          unmapped
              ? () -> domain.addresses().giveBack(stripe, iova, bytes)
              : () -> domain.addresses().leak(iova, bytes));
      domain.remaps().end(record);
      sum++;
    }
  }
}
