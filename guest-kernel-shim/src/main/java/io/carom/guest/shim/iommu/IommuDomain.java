package io.carom.guest.shim.iommu;

import static io.carom.iommu.VirtioIommuDescriptor.MAP_F_MMIO;
import static io.carom.iommu.VirtioIommuDescriptor.MAP_F_READ;
import static io.carom.iommu.VirtioIommuDescriptor.MAP_F_WRITE;

import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu.UnmapFailures;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;

/**
 * A domain and what is mapped in it. The IOMMU knows a domain only while an endpoint is attached to
 * it, and forgets its mappings with the last one; so they are kept here, and mapped again when an
 * endpoint comes ({@link Attachments}). While there is none, a map or an unmap is only noted down:
 * what the IOMMU would refuse is refused here by the same rules.
 *
 * <p>All state is guarded by the request queue's lock. The device answers what overlaps and what
 * splits a mapping, as long as it knows the domain.
 */
final class IommuDomain implements GuestDomain, RequestQueue.Owner {
  private final int id;
  private final IommuGeometry geometry;
  private final RequestQueue requests;
  private final VirtioIommu iommu;
  private final FailureInbox failures;
  private final DomainMappings mappings = new DomainMappings();
  private int endpoints;
  private long pages;
  private boolean closed;

  IommuDomain(
      final long id,
      final VirtioIommu iommu,
      final IommuGeometry geometry,
      final RequestQueue requests,
      final UnmapFailures failures) {
    this.id = (int) id;
    this.iommu = iommu;
    this.geometry = geometry;
    this.requests = requests;
    this.failures = new FailureInbox(failures);
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public FailureInbox failures() {
    return failures;
  }

  @Override
  public void pages(final long change) {
    pages += change;
    requests.tally().pages(change);
  }

  /** Whether the IOMMU knows it. */
  boolean known() {
    return endpoints > 0;
  }

  boolean isEmpty() {
    return mappings.isEmpty();
  }

  /** An endpoint was attached. */
  void gained() {
    endpoints++;
  }

  /** An endpoint left; with the last one the IOMMU forgets all mappings. */
  void lost() {
    endpoints--;
    if (endpoints == 0) {
      pages(-pages);
    }
  }

  @Override
  public void attach(final String device) throws IommuException {
    change("attach " + device, () -> iommu.attachments().attach(this, device));
  }

  @Override
  public void detach(final String device) throws IommuException {
    change("detach " + device, () -> iommu.attachments().detach(this, device));
  }

  /** A change of attachments; with the lock. */
  @FunctionalInterface
  private interface Change {
    int make();
  }

  private void change(final String what, final Change change) throws IommuException {
    final int status;
    requests.lock();
    try {
      status = usable() ? change.make() : unusable();
    } finally {
      requests.unlock();
    }
    if (status != IommuStatus.OK) {
      throw new IommuException(what + " (domain " + Integer.toUnsignedString(id) + ")", status);
    }
  }

  private boolean usable() {
    return !closed && requests.alive();
  }

  private int unusable() {
    return closed ? IommuStatus.NOENT : IommuStatus.DEVERR;
  }

  @Override
  public int map(final long iova, final long address, final long bytes, final int permissions) {
    return map(iova, new long[] {address}, new long[] {bytes}, 1, permissions);
  }

  @Override
  public int map(
      final long iova,
      final long[] addresses,
      final long[] lengths,
      final int pieces,
      final int permissions) {
    final int wrong = check(iova, addresses, lengths, pieces, permissions);
    if (wrong != IommuStatus.OK) {
      return wrong;
    }
    final int status = mapAll(iova, addresses, lengths, pieces, permissions);
    if (status != IommuStatus.OK) {
      failures.tell(); // of pieces that could not be unmapped again: before the caller goes on
    }
    return status;
  }

  private int mapAll(
      final long iova,
      final long[] addresses,
      final long[] lengths,
      final int pieces,
      final int permissions) {
    requests.lock();
    try {
      if (!usable()) {
        return unusable();
      }
      final long bytes = total(lengths, pieces);
      if (!known() && mappings.overlaps(iova, bytes)) {
        return IommuStatus.INVAL;
      }
      final int status =
          known() ? send(iova, addresses, lengths, pieces, permissions) : IommuStatus.OK;
      if (status == IommuStatus.OK) {
        note(iova, addresses, lengths, pieces, permissions);
      }
      return status;
    } finally {
      requests.unlock();
    }
  }

  private int check(
      final long iova,
      final long[] addresses,
      final long[] lengths,
      final int pieces,
      final int permissions) {
    final int known = MAP_F_READ | MAP_F_WRITE | (geometry.mmio() ? MAP_F_MMIO : 0);
    if (pieces < 1 || (permissions & ~known) != 0) {
      return IommuStatus.INVAL;
    }
    long at = iova;
    for (int i = 0; i < pieces; i++) {
      final boolean aligned = (addresses[i] & (geometry.granule() - 1)) == 0;
      if (!aligned || (i > 0 && at == 0) || !geometry.maps(at, lengths[i])) {
        return IommuStatus.RANGE; // at is 0 behind a first piece when the addresses wrapped
      }
      at += lengths[i];
    }
    return IommuStatus.OK;
  }

  private static long total(final long[] lengths, final int pieces) {
    long bytes = 0;
    for (int i = 0; i < pieces; i++) {
      bytes += lengths[i]; // checked: the end does not wrap
    }
    return bytes;
  }

  /** Maps all pieces or none: with one kick, or as the driver of 2021, with one for each piece. */
  private int send(
      final long iova,
      final long[] addresses,
      final long[] lengths,
      final int pieces,
      final int permissions) {
    final boolean batched = iommu.batched();
    requests.begin(pieces);
    int sent = 0;
    long at = iova;
    while (sent < pieces && requests.failure() == IommuStatus.OK) {
      requests.map(sent, this, id, at, lengths[sent], addresses[sent], permissions);
      at += lengths[sent];
      sent++;
      if (!batched) {
        requests.sync();
      }
    }
    requests.sync();
    final int status = requests.failure();
    if (status != IommuStatus.OK) {
      undo(iova, lengths, sent);
    }
    return status;
  }

  /**
   * Unmaps the pieces that were mapped although others failed, each on its own, for what lies
   * between them may be somebody's mapping. One that cannot be unmapped is a failed unmap; so is
   * each that a device died over.
   */
  private void undo(final long iova, final long[] lengths, final int sent) {
    final boolean[] mapped = new boolean[sent];
    for (int i = 0; i < sent; i++) {
      mapped[i] = requests.answer(i) == IommuStatus.OK || !requests.alive();
    }
    requests.begin(sent);
    long at = iova;
    for (int i = 0; i < sent; i++) {
      if (mapped[i]) {
        final long held = lengths[i] / geometry.granule();
        requests.unmap(RequestSlot.QUEUED, this, id, at, at + lengths[i] - 1, held);
      }
      at += lengths[i];
    }
    requests.sync();
  }

  private void note(
      final long iova,
      final long[] addresses,
      final long[] lengths,
      final int pieces,
      final int permissions) {
    long at = iova;
    for (int i = 0; i < pieces; i++) {
      mappings.put(at, lengths[i], addresses[i], permissions);
      at += lengths[i];
    }
  }

  @Override
  public int unmap(final long iova, final long bytes) {
    if (!geometry.maps(iova, bytes)) {
      return IommuStatus.RANGE;
    }
    requests.lock();
    try {
      if (!usable()) {
        return unusable();
      }
      if (!known()) {
        return forget(iova, bytes);
      }
      requests.begin(1);
      requests.unmap(0, this, id, iova, iova + bytes - 1, 0);
      requests.tally().flushes++;
      requests.sync();
      final int status = requests.answer(0);
      if (status == IommuStatus.OK) {
        pages(-mappings.removeWithin(iova, bytes) / geometry.granule());
      }
      return status;
    } finally {
      requests.unlock();
    }
  }

  private int forget(final long iova, final long bytes) {
    if (mappings.splits(iova, bytes)) {
      return IommuStatus.RANGE;
    }
    mappings.removeWithin(iova, bytes);
    return IommuStatus.OK;
  }

  /** {@inheritDoc} Only a ring that is full is kicked here. */
  @Override
  public void queueUnmap(final long iova, final long bytes) {
    if (!geometry.maps(iova, bytes)) {
      failures.add(iova, bytes, IommuStatus.RANGE);
      return;
    }
    requests.lock();
    try {
      if (!usable()) {
        failures.add(iova, bytes, unusable());
      } else if (known()) {
        // noted as gone now: a map of the same range that is asked for later comes later
        final long held = mappings.removeWithin(iova, bytes) / geometry.granule();
        requests.unmap(RequestSlot.QUEUED, this, id, iova, iova + bytes - 1, held);
      } else {
        final int status = forget(iova, bytes);
        if (status != IommuStatus.OK) {
          failures.add(iova, bytes, status);
        }
      }
    } finally {
      requests.unlockQuietly();
    }
  }

  @Override
  public void flush() {
    requests.lock();
    try {
      if (requests.busy()) {
        requests.tally().flushes++;
        requests.sync();
      }
    } finally {
      requests.unlock();
    }
    failures.tell(); // also those that another thread's kick has found
  }

  /** Tells the IOMMU everything that is mapped; with the lock, once it knows the domain. */
  int replay() {
    requests.begin(1);
    mappings.visit(
        (iova, range) -> {
          final long bytes = range.last() - iova + 1;
          requests.map(0, this, id, iova, bytes, range.physical(), range.permissions());
          return requests.failure() == IommuStatus.OK;
        });
    requests.sync();
    return requests.failure();
  }

  @Override
  public boolean alive() {
    return requests.alive();
  }

  @Override
  public void close() {
    requests.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      boolean clean = unmapAll();
      clean &= iommu.attachments().detachAll(this);
      mappings.clear();
      if (clean) {
        iommu.closed(this);
      }
    } finally {
      requests.unlock();
    }
    failures.tell();
  }

  /** Before anything is detached: it might be one that passes everywhere then. */
  private boolean unmapAll() {
    if (!known() || pages == 0) {
      return true;
    }
    requests.begin(1);
    requests.unmap(0, this, id, geometry.inputStart(), geometry.inputEnd(), pages);
    requests.tally().flushes++;
    requests.sync();
    return requests.failure() == IommuStatus.OK;
  }
}
