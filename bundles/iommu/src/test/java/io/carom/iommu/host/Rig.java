package io.carom.iommu.host;

import io.carom.iommu.IommuRecords;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.cost.VirtualClock;
import io.carom.iommu.host.table.PhysicalSpace;
import io.carom.machine.iommu.IommuStore;
import io.carom.pci.BusAccess;
import io.carom.pci.Translation;
import io.carom.virtio.VirtioModel;
import io.carom.virtio.VirtioModelContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** An IOMMU with two functions, and a driver that speaks to it in bytes. */
final class Rig implements VirtioModelContext {
  static final String A = "00:04.0";
  static final String B = "00:05.0";
  static final int EP_A = 0x20;
  static final int EP_B = 0x28;
  static final long RAM = 1L << 30;
  static final int RW = VirtioIommuDescriptor.MAP_F_READ | VirtioIommuDescriptor.MAP_F_WRITE;

  final FakePorts ports;
  final IommuRecords records;
  final List<String> functions = new CopyOnWriteArrayList<>(List.of(A, B));
  final VirtualClock clock = new VirtualClock();
  final List<byte[]> events = new ArrayList<>();
  final List<String> configs = new ArrayList<>();
  final Iommu iommu;
  final IommuModel model;
  final IommuView view;
  boolean slotKept = true;
  boolean needsResetAllowed;
  String needsReset = "";
  int watched;
  int eventBuffers = Integer.MAX_VALUE;
  long now;
  VirtioModel.Handler requests;

  Rig() {
    this(IommuSettings.DEFAULTS);
  }

  Rig(final IommuSettings settings) {
    this(settings, new IommuStore(), new FakePorts());
    model.plugged(this);
  }

  private Rig(final IommuSettings settings, final IommuRecords records, final FakePorts ports) {
    this.records = records;
    this.ports = ports;
    ports.open(A);
    ports.open(B);
    iommu = new Iommu(settings, ports, () -> functions, ram(), clock, () -> now, records.claim());
    model = new IommuModel(iommu, () -> slotKept, () -> now, of -> watched++);
    iommu.start();
    view = new IommuView(iommu);
    requests = model.open(0, IommuModel.FEATURES);
  }

  /** The next incarnation, with the driver, the ports and the record of this one. */
  Rig next(final IommuSettings settings) {
    model.end();
    iommu.stop();
    final Rig next = new Rig(settings, records, ports);
    next.model.plugged(next);
    next.model.resumed();
    return next;
  }

  /** RAM of 1 GiB from 0, and registers. */
  static PhysicalSpace ram() {
    return (address, bytes, mmio) -> mmio || address + bytes <= RAM ? address : -1;
  }

  @Override
  public String address() {
    return "00:1f.0";
  }

  @Override
  public boolean send(final int queue, final byte[] event) {
    if (queue != 1 || eventBuffers == 0) {
      return false;
    }
    eventBuffers--;
    events.add(event);
    return true;
  }

  @Override
  public void config(final int offset, final byte[] bytes, final boolean notify) {
    configs.add(offset + "=" + bytes[0] + (notify ? " notify" : ""));
  }

  @Override
  public void needsReset(final String reason) {
    if (!needsResetAllowed) {
      throw new AssertionError(reason);
    }
    needsReset = reason;
  }

  private static ByteBuffer request(final int type, final int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).put(0, (byte) type);
  }

  static byte[] attachBytes(final int domain, final int endpoint, final int flags) {
    return request(1, 20).putInt(4, domain).putInt(8, endpoint).putInt(12, flags).array();
  }

  static byte[] detachBytes(final int domain, final int endpoint) {
    return request(2, 20).putInt(4, domain).putInt(8, endpoint).array();
  }

  static byte[] mapBytes(
      final int domain, final long start, final long last, final long physical, final int flags) {
    return request(3, 36)
        .putInt(4, domain)
        .putLong(8, start)
        .putLong(16, last)
        .putLong(24, physical)
        .putInt(32, flags)
        .array();
  }

  static byte[] unmapBytes(final int domain, final long start, final long last) {
    return request(4, 28).putInt(4, domain).putLong(8, start).putLong(16, last).array();
  }

  static byte[] probeBytes(final int endpoint) {
    return request(5, 72).putInt(4, endpoint).array();
  }

  /** The status of a request with room for a tail only. */
  int status(final byte[] bytes) {
    final FakeRequest request = new FakeRequest(bytes, 4);
    requests.handle(request);
    assert request.used == 4 : "used length " + request.used;
    assert request.written[1] == 0 && request.written[2] == 0 && request.written[3] == 0;
    return request.written[0];
  }

  int attach(final int domain, final int endpoint) {
    return status(attachBytes(domain, endpoint, 0));
  }

  int detach(final int domain, final int endpoint) {
    return status(detachBytes(domain, endpoint));
  }

  int map(final int domain, final long start, final long bytes, final long physical) {
    return status(mapBytes(domain, start, start + bytes - 1, physical, RW));
  }

  int unmap(final int domain, final long start, final long bytes) {
    return status(unmapBytes(domain, start, start + bytes - 1));
  }

  /** Where a read of a function goes; the address itself when the function passes. */
  long read(final String port, final long address, final long length) {
    return access(port, address, length, BusAccess.READ);
  }

  long write(final String port, final long address, final long length) {
    return access(port, address, length, BusAccess.WRITE);
  }

  private long access(
      final String port, final long address, final long length, final BusAccess access) {
    final Translation translation = ports.of(port);
    return translation == null ? address : translation.translate(address, length, access);
  }
}
