package io.carom.iommu.host;

import io.carom.iommu.IommuState.Change;
import io.carom.iommu.IommuState.MappingState;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.virtio.VirtioModel;
import io.carom.virtio.VirtioRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The request queue: takes requests apart and answers them. A request is copied once and judged by
 * the copy, as a driver may change it at any time. One thread at a time.
 *
 * <p>What is no request, or has no room for its tail, is given back with nothing written: a type
 * that is unknown or was not negotiated, a head that is cut. A body that is cut is INVAL. The model
 * is charged when the batch of a doorbell ends, kick included.
 *
 * <p><b>A request that is handled again.</b> Each is returned before the next is handled, so
 * whoever goes on after another incarnation, of the IOMMU or of its transport, sees at most one
 * again: the first. Done twice, ATTACH and UNMAP say the same; MAP and DETACH would be INVAL. So
 * the first request that would be, and that is just what the record changed last, is answered OK:
 * nothing has changed since, so what it asks for is there. (A driver that errs and asks for the
 * same once more, just then, gets that answer too; it does no harm.)
 */
final class RequestQueue implements VirtioModel.Handler {
  private final Iommu iommu;
  private final boolean mapUnmap;
  private final boolean probe;
  private final int mapFlags;
  private final int attachFlags;
  private final byte[] head = new byte[VirtioIommuDescriptor.REQ_DOMAIN];
  private final byte[] request = new byte[VirtioIommuDescriptor.PROBE_SIZE];
  private final ByteBuffer fields = ByteBuffer.wrap(request).order(ByteOrder.LITTLE_ENDIAN);
  private final byte[] tail = new byte[VirtioIommuDescriptor.TAIL_SIZE];
  private final Runnable begins;
  private boolean first = true;
  private @Nullable Change again;
  private boolean inBatch;
  private boolean kicked;

  /**
   * A queue under the accepted features.
   *
   * @param begins called before the first request is handled
   */
  RequestQueue(final Iommu iommu, final long accepted, final Runnable begins) {
    this.iommu = iommu;
    this.begins = begins;
    mapUnmap = (accepted & VirtioIommuDescriptor.F_MAP_UNMAP) != 0;
    probe = (accepted & VirtioIommuDescriptor.F_PROBE) != 0;
    final boolean mmio = (accepted & VirtioIommuDescriptor.F_MMIO) != 0;
    mapFlags =
        VirtioIommuDescriptor.MAP_F_READ
            | VirtioIommuDescriptor.MAP_F_WRITE
            | (mmio ? VirtioIommuDescriptor.MAP_F_MMIO : 0);
    final boolean bypass = (accepted & VirtioIommuDescriptor.F_BYPASS_CONFIG) != 0;
    attachFlags = bypass ? VirtioIommuDescriptor.ATTACH_F_BYPASS : 0;
  }

  @Override
  public void batchBegins() {
    batchEnds(); // one that was left by an error
    inBatch = true;
    kicked = false;
  }

  @Override
  public void batchEnds() {
    if (inBatch) {
      inBatch = false;
      settle();
    }
  }

  private void kick() {
    iommu.lock().lock();
    try {
      iommu.counters().kicked();
      iommu.meter().kick();
    } finally {
      iommu.lock().unlock();
    }
  }

  private void settle() {
    iommu.lock().lock();
    try {
      iommu.meter().settle();
    } finally {
      iommu.lock().unlock();
    }
  }

  @Override
  public void handle(final VirtioRequest from) {
    if (!inBatch || !kicked) {
      kick(); // not before: a driver's start looks at the queue too
      kicked = inBatch;
    }
    if (first) {
      begins.run();
    }
    iommu.lock().lock();
    try {
      again = first ? iommu.lastChange() : null;
      first = false;
      serve(from);
      if (!inBatch) {
        iommu.meter().settle();
      }
    } finally {
      iommu.lock().unlock();
    }
  }

  private void serve(final VirtioRequest from) {
    final int type = from.read(head) == head.length ? head[0] & 0xff : 0;
    final int size = size(type);
    if (size == 0 || from.writable() < tail.length) {
      iommu.counters().refused();
      return;
    }
    final int body = from.read(request); // the body begins at 0: its offsets are less the head's
    final boolean whole = body >= size - head.length;
    final int status;
    if (type == VirtioIommuDescriptor.T_PROBE) {
      status = probe(from, whole);
    } else {
      status = whole ? perform(type) : IommuStatus.INVAL;
    }
    iommu.counters().answered(type, status);
    tail[0] = (byte) status;
    from.write(tail, tail.length);
  }

  /** Bytes of a request of a type before its device-writable part; 0 when it is not served. */
  private int size(final int type) {
    return switch (type) {
      case VirtioIommuDescriptor.T_ATTACH -> VirtioIommuDescriptor.ATTACH_SIZE;
      case VirtioIommuDescriptor.T_DETACH -> VirtioIommuDescriptor.DETACH_SIZE;
      case VirtioIommuDescriptor.T_MAP -> VirtioIommuDescriptor.MAP_SIZE;
      case VirtioIommuDescriptor.T_UNMAP -> VirtioIommuDescriptor.UNMAP_SIZE;
      case VirtioIommuDescriptor.T_PROBE -> probe ? VirtioIommuDescriptor.PROBE_SIZE : 0;
      default -> 0;
    };
  }

  private int perform(final int type) {
    final int domain = int32(VirtioIommuDescriptor.REQ_DOMAIN);
    if (type == VirtioIommuDescriptor.T_ATTACH) {
      final int flags = int32(VirtioIommuDescriptor.ATTACH_FLAGS);
      final int reserved = int32(VirtioIommuDescriptor.ATTACH_SIZE - Integer.BYTES);
      return (flags & ~attachFlags) != 0 || reserved != 0
          ? IommuStatus.INVAL
          : iommu.attach(domain, int32(VirtioIommuDescriptor.REQ_ENDPOINT), flags != 0);
    }
    if (type == VirtioIommuDescriptor.T_DETACH) {
      final int endpoint = int32(VirtioIommuDescriptor.REQ_ENDPOINT);
      final int status = iommu.detach(domain, endpoint);
      final String port = again == null ? null : iommu.port(endpoint);
      return port != null && status == IommuStatus.INVAL && isAgain(new Change(domain, null, port))
          ? IommuStatus.OK
          : status;
    }
    if (!mapUnmap) {
      return IommuStatus.UNSUPP;
    }
    final long start = int64(VirtioIommuDescriptor.REQ_VIRT_START);
    final long last = int64(VirtioIommuDescriptor.REQ_VIRT_END);
    if (type == VirtioIommuDescriptor.T_UNMAP) {
      return int32(VirtioIommuDescriptor.UNMAP_SIZE - Integer.BYTES) != 0
          ? IommuStatus.INVAL
          : iommu.unmap(domain, start, last);
    }
    final int flags = int32(VirtioIommuDescriptor.MAP_FLAGS);
    if ((flags & ~mapFlags) != 0) {
      return IommuStatus.INVAL;
    }
    final long physical = int64(VirtioIommuDescriptor.MAP_PHYS_START);
    final int status = iommu.map(domain, start, last, physical, flags);
    return status == IommuStatus.INVAL
            && again != null
            && isAgain(new Change(domain, new MappingState(start, last, physical, flags), null))
        ? IommuStatus.OK
        : status;
  }

  private boolean isAgain(final Change change) {
    return change.equals(again);
  }

  private int int32(final int offset) {
    return fields.getInt(offset - head.length);
  }

  private long int64(final int offset) {
    return fields.getLong(offset - head.length);
  }

  /**
   * Writes the properties; what is left of the writable bytes is the tail's. Where the driver has
   * left too little room it gets none.
   */
  private int probe(final VirtioRequest from, final boolean whole) {
    final long room = from.writable() - tail.length;
    if (!whole || room < IommuModel.PROBE_SIZE) {
      from.skip(room);
      return IommuStatus.INVAL;
    }
    final ByteBuffer properties =
        ByteBuffer.allocate(IommuModel.PROBE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    final boolean known = iommu.exists(int32(VirtioIommuDescriptor.PROBE_ENDPOINT));
    if (known) {
      int at = 0;
      for (final ReservedRange range : iommu.settings().reserved()) {
        reserved(properties, at, range);
        at += VirtioIommuDescriptor.PROPERTY_HEAD + VirtioIommuDescriptor.RESV_MEM_LENGTH;
      }
    }
    from.write(properties.array(), IommuModel.PROBE_SIZE);
    from.skip(room - IommuModel.PROBE_SIZE);
    return known ? IommuStatus.OK : IommuStatus.NOENT;
  }

  private static void reserved(
      final ByteBuffer properties, final int at, final ReservedRange range) {
    properties.putShort(at, (short) VirtioIommuDescriptor.PROBE_T_RESV_MEM);
    properties.putShort(at + Short.BYTES, (short) VirtioIommuDescriptor.RESV_MEM_LENGTH);
    properties.put(
        at + VirtioIommuDescriptor.RESV_SUBTYPE,
        (byte)
            (range.msi() ? VirtioIommuDescriptor.RESV_MSI : VirtioIommuDescriptor.RESV_RESERVED));
    properties.putLong(at + VirtioIommuDescriptor.RESV_START, range.start());
    properties.putLong(at + VirtioIommuDescriptor.RESV_END, range.end());
  }
}
