package io.carom.guest.shim.iommu;

import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.pci.PciAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A virtio-iommu under its driver.
 *
 * <p>Its rings and requests lie in coherent memory of a function that nothing translates. When it
 * is removed it is withdrawn from the registry first, so that whoever uses it can let go of his
 * domains while it still answers; when it was torn out it is dead before that. Its memory is given
 * back after the device was reset, and stays out of use when somebody holds the queue even then.
 *
 * <p>{@link #bypass} is what the device's configuration says; the driver leaves it as it is. Where
 * it is off, a device is blocked until it is attached to a domain.
 */
final class VirtioIommu implements GuestIommu, PciDriver.Binding {
  private static final long LOCK_NS = 3_000_000_000L;

  private final IommuPlatform platform;
  private final VirtioDevice device;
  private final IommuGeometry geometry;
  private final RequestQueue requests;
  private final FaultEvents events;
  private final IrqThread.Handler reader;
  private final Attachments attachments;
  private final DomainIds ids;
  private final Map<PciAddress, Probed> probed = new HashMap<>();
  private volatile boolean bypass;

  /** Properties of a function, which go with it. */
  private record Probed(List<ReservedRange> ranges, long plugging) {}

  VirtioIommu(
      final IommuPlatform platform,
      final VirtioDevice device,
      final IommuGeometry geometry,
      final RequestQueue requests,
      final FaultEvents events,
      final IrqThread.Handler reader) {
    this.platform = platform;
    this.device = device;
    this.geometry = geometry;
    this.requests = requests;
    this.events = events;
    this.reader = reader;
    this.attachments = new Attachments(requests, platform.functions());
    this.ids = new DomainIds(geometry.domainStart(), geometry.domainEnd());
    this.bypass = geometry.bypass();
  }

  Attachments attachments() {
    return attachments;
  }

  /** Faults that the device has reported. */
  long faults() {
    return events.faults();
  }

  /** Gives a domain's number back; with the lock. */
  void closed(final IommuDomain domain) {
    ids.giveBack(Integer.toUnsignedLong(domain.id()));
  }

  @Override
  public long granule() {
    return geometry.granule();
  }

  @Override
  public long inputStart() {
    return geometry.inputStart();
  }

  @Override
  public long inputEnd() {
    return geometry.inputEnd();
  }

  @Override
  public boolean bypass() {
    return bypass;
  }

  @Override
  public boolean serves(final String name) {
    final @Nullable PciAddress address = address(name);
    return address != null
        && !address.equals(device.pci().address())
        && platform.functions().plugging(address) != PciFunctions.ABSENT;
  }

  private static @Nullable PciAddress address(final String name) {
    try {
      return PciAddress.parse(name);
    } catch (final IllegalArgumentException e) {
      return null; // no PCI function: nothing of it passes here
    }
  }

  @Override
  public List<ReservedRange> reserved(final String name) throws IommuException {
    final PciAddress endpoint = PciAddress.parse(name);
    final int status;
    requests.lock();
    try {
      final long plugging = platform.functions().plugging(endpoint);
      final Probed before = probed.get(endpoint);
      if (before != null && before.plugging() == plugging) {
        return before.ranges();
      }
      status = geometry.probeSize() == 0 ? IommuStatus.OK : probe(name);
      if (status == IommuStatus.OK) {
        final byte[] properties = geometry.probeSize() == 0 ? new byte[0] : requests.properties();
        final Probed now = new Probed(ProbeProperties.reserved(properties), plugging);
        probed.put(endpoint, now);
        return now.ranges();
      }
    } finally {
      requests.unlock();
    }
    throw new IommuException("probe " + name, status);
  }

  private int probe(final String name) {
    requests.begin(1);
    requests.probe(0, VirtioIommuDescriptor.endpoint(name));
    requests.sync();
    return requests.answer(0);
  }

  @Override
  public GuestDomain createDomain(final UnmapFailures failures) throws IommuException {
    final int status;
    requests.lock();
    try {
      final long id = ids.take();
      if (id == DomainIds.NONE) {
        status = IommuStatus.NOMEM;
      } else {
        final IommuDomain domain = new IommuDomain(id, this, geometry, requests, failures);
        status = attachments.found(domain);
        if (status == IommuStatus.OK) {
          return domain;
        }
        ids.giveBack(id);
      }
    } finally {
      requests.unlock();
    }
    throw new IommuException("create a domain", status);
  }

  @Override
  public IommuCounters counters() {
    requests.lock();
    try {
      return requests.tally().snapshot(requests.kicks());
    } finally {
      requests.unlock();
    }
  }

  @Override
  public boolean batched() {
    return platform.batched().getAsBoolean();
  }

  /** The configuration interrupt, on the interrupt thread. */
  void configChanged() {
    if (device.needsReset()) {
      requests.kill("device needs reset"); // which would let every endpoint pass, or none
    } else {
      bypass = IommuGeometry.bypass(device); // the host changes it live
    }
  }

  @Override
  public void remove(final boolean gone) {
    if (gone) {
      requests.kill("gone");
    }
    platform.registry().withdraw(this);
    requests.kill("removed");
    reader.close();
    events.end();
    if (!gone) {
      device.quiesce();
    }
    if (!requests.lock(LOCK_NS)) {
      platform.dmesg().log(IommuGeometry.label(device) + "somebody is still in the queue");
      return; // its memory stays out of use: a leak, but no one else's memory
    }
    try {
      requests.free();
      events.free();
    } finally {
      requests.unlock();
    }
    // Not under the lock: the core ends what it has in domains then, and takes its own locks before
    // this one. Nobody touches the rings any more: the queue is dead.
    device.free();
  }
}
