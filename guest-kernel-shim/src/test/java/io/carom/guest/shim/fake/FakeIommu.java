package io.carom.guest.shim.fake;

import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.memory.GuestMemory;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToIntFunction;

/**
 * A virtio-iommu written for tests: serves its request queue inside the doorbell write by the rules
 * of the specification, until it is told otherwise. What it knows of domains is kept apart from
 * what the driver believes.
 */
public final class FakeIommu extends FakeVirtio {
  /** What {@link #script} returns to have a request served honestly. */
  public static final int HONEST = -1;

  /** Features on offer at first. */
  public static final long FEATURES =
      VirtioFeatures.VERSION_1
          | VirtioFeatures.ACCESS_PLATFORM
          | VirtioFeatures.INDIRECT_DESC
          | VirtioFeatures.EVENT_IDX
          | VirtioIommuDescriptor.F_INPUT_RANGE
          | VirtioIommuDescriptor.F_DOMAIN_RANGE
          | VirtioIommuDescriptor.F_MAP_UNMAP
          | VirtioIommuDescriptor.F_PROBE
          | VirtioIommuDescriptor.F_MMIO
          | VirtioIommuDescriptor.F_BYPASS_CONFIG;

  /** How it uses the ring. */
  public enum Conduct {
    /** As it should. */
    HONEST,
    /** Takes requests and says nothing. */
    SILENT,
    /** Answers after the doorbell write, from another thread. */
    LATE,
    /** Answers without a tail. */
    SHORT,
    /** Claims to have written more than it was given room for. */
    LENGTH_TOO_LONG,
    /** Names an id that the ring does not have. */
    ID_OUT_OF_RANGE,
    /** Names an id twice. */
    ID_REPEATED,
    /** Moves the used index past what it was given. */
    INDEX_JUMP,
    /** Leaves the status alone, and says it has written it. */
    NO_STATUS
  }

  /** A request as the device has read it; of another type's fields nothing is said. */
  public record Request(
      int type, int domain, int endpoint, long start, long last, long physical, int flags) {}

  /** A mapping of a domain. */
  public record Mapped(long last, long physical, int flags) {}

  private final byte[] structure = new byte[VirtioIommuDescriptor.CONFIG_SIZE];
  private final Map<Integer, NavigableMap<Long, Mapped>> domains = new HashMap<>();
  private final Map<Integer, Integer> endpoints = new HashMap<>();

  /** Requests that were read, oldest first. */
  public final List<Request> requests = Collections.synchronizedList(new ArrayList<>());

  /** Doorbell writes of the request queue. */
  public final AtomicInteger kicks = new AtomicInteger();

  /** Decides over a request: a status, or {@link #HONEST}. */
  public volatile ToIntFunction<Request> script = request -> HONEST;

  /** How it uses the ring. */
  public volatile Conduct conduct = Conduct.HONEST;

  /** What a PROBE brings. */
  public volatile byte[] properties = new byte[512];

  public FakeIommu(final FakeMsi msi, final GuestMemory memory, final int queueSize) {
    super(
        msi,
        memory,
        VirtioIommuDescriptor.TYPE,
        0x080600,
        2,
        queueSize,
        VirtioIommuDescriptor.CONFIG_SIZE);
    offered = FEATURES;
    config(VirtioIommuDescriptor.CONFIG_PAGE_SIZE_MASK, 8, -4096L);
    config(VirtioIommuDescriptor.CONFIG_INPUT_END, 8, (1L << 48) - 1);
    config(VirtioIommuDescriptor.CONFIG_DOMAIN_START, 4, 1);
    config(VirtioIommuDescriptor.CONFIG_DOMAIN_END, 4, 100);
    config(VirtioIommuDescriptor.CONFIG_PROBE_SIZE, 4, properties.length);
    config(VirtioIommuDescriptor.CONFIG_BYPASS, 1, 1);
  }

  /** Sets a field of the configuration. */
  public synchronized void config(final int offset, final int width, final long value) {
    for (int i = 0; i < width; i++) {
      structure[offset + i] = (byte) (value >>> (8 * i));
    }
  }

  @Override
  byte[] deviceConfig() {
    return structure.clone();
  }

  /** What it has mapped in a domain, by address. */
  public synchronized NavigableMap<Long, Mapped> mapped(final int domain) {
    return new TreeMap<>(domains.getOrDefault(domain, new TreeMap<>()));
  }

  /** Domains that it knows. */
  public synchronized int domains() {
    return domains.size();
  }

  /** The domain that an endpoint is attached to, or -1. */
  public synchronized int domainOf(final int endpoint) {
    return endpoints.getOrDefault(endpoint, -1);
  }

  /** Requests of a type. */
  public long asked(final int type) {
    return List.copyOf(requests).stream().filter(request -> request.type() == type).count();
  }

  @Override
  void kicked(final int queue) {
    if (queue != VirtioIommuDescriptor.QUEUE_REQUEST) {
      return;
    }
    kicks.incrementAndGet();
    if (conduct == Conduct.LATE) {
      final Thread late = new Thread(this::serve, "fake-iommu");
      late.setDaemon(true);
      late.start();
    } else {
      serve();
    }
  }

  private synchronized void serve() {
    final Queue queue = queues[VirtioIommuDescriptor.QUEUE_REQUEST];
    if (!queue.enabled) {
      return;
    }
    final MemorySegment avail = dma(queue.driver, SplitRingDescriptor.availBytes(queue.size));
    final MemorySegment used = dma(queue.device, SplitRingDescriptor.usedBytes(queue.size));
    while (queue.last != index(avail)) {
      final int entry = queue.last & (queue.size - 1);
      queue.last = queue.last + 1 & 0xffff;
      chain(queue, used, avail.get(U16, SplitRingDescriptor.availEntry(entry)) & 0xffff);
      if ((accepted & VirtioFeatures.EVENT_IDX) != 0) {
        IDX.setOpaque(used, SplitRingDescriptor.availEvent(queue.size), (short) queue.last);
        VarHandle.fullFence(); // asked to be told, and then looked once more
      }
    }
  }

  private void chain(final Queue queue, final MemorySegment used, final int head) {
    MemorySegment table = dma(queue.desc, SplitRingDescriptor.descBytes(queue.size));
    int at = head;
    if ((descFlags(table, at) & SplitRingDescriptor.DESC_F_INDIRECT) != 0) {
      table = dma(descAddress(table, at), descLength(table, at));
      at = 0;
    }
    final MemorySegment in = dma(descAddress(table, at), descLength(table, at));
    at = next(table, at);
    final MemorySegment out = dma(descAddress(table, at), descLength(table, at));
    final Request request = read(in);
    requests.add(request);
    if (conduct == Conduct.SILENT) {
      return;
    }
    final int scripted = script.applyAsInt(request);
    final int status = scripted == HONEST ? honest(request) : scripted;
    final int length = (int) out.byteSize();
    if (request.type() == VirtioIommuDescriptor.T_PROBE) {
      final byte[] told = properties;
      MemorySegment.copy(MemorySegment.ofArray(told), 0, out, 0, Math.min(told.length, length - 4));
    }
    if (conduct != Conduct.NO_STATUS) {
      out.set(ValueLayout.JAVA_BYTE, length - 4L, (byte) status);
    }
    switch (conduct) {
      case SHORT -> use(queue, used, head, length - 4);
      case LENGTH_TOO_LONG -> use(queue, used, head, length + 1);
      case ID_OUT_OF_RANGE -> use(queue, used, 2 * queue.size, length);
      case ID_REPEATED -> {
        use(queue, used, head, length);
        use(queue, used, head, length);
      }
      case INDEX_JUMP -> {
        queue.used = queue.used + 100 & 0xffff;
        IDX.setRelease(used, (long) SplitRingDescriptor.IDX, (short) queue.used);
      }
      default -> use(queue, used, head, length);
    }
  }

  private static Request read(final MemorySegment in) {
    final int type = in.get(ValueLayout.JAVA_BYTE, 0) & 0xff;
    return switch (type) {
      case VirtioIommuDescriptor.T_ATTACH, VirtioIommuDescriptor.T_DETACH ->
          new Request(type, in.get(U32, 4), in.get(U32, 8), 0, 0, 0, in.get(U32, 12));
      case VirtioIommuDescriptor.T_MAP ->
          new Request(
              type,
              in.get(U32, 4),
              0,
              in.get(U64, 8),
              in.get(U64, 16),
              in.get(U64, 24),
              in.get(U32, 32));
      case VirtioIommuDescriptor.T_UNMAP ->
          new Request(type, in.get(U32, 4), 0, in.get(U64, 8), in.get(U64, 16), 0, 0);
      case VirtioIommuDescriptor.T_PROBE -> new Request(type, 0, in.get(U32, 4), 0, 0, 0, 0);
      default -> throw new AssertionError("request of type " + type);
    };
  }

  private int honest(final Request request) {
    return switch (request.type()) {
      case VirtioIommuDescriptor.T_ATTACH -> attach(request);
      case VirtioIommuDescriptor.T_DETACH -> detach(request);
      case VirtioIommuDescriptor.T_MAP -> map(request);
      case VirtioIommuDescriptor.T_UNMAP -> unmap(request);
      default -> IommuStatus.OK;
    };
  }

  private int attach(final Request request) {
    forget(request.endpoint());
    domains.computeIfAbsent(request.domain(), number -> new TreeMap<>());
    endpoints.put(request.endpoint(), request.domain());
    return IommuStatus.OK;
  }

  private int detach(final Request request) {
    if (domainOf(request.endpoint()) != request.domain()) {
      return IommuStatus.INVAL;
    }
    forget(request.endpoint());
    return IommuStatus.OK;
  }

  /** Takes an endpoint out; with the last one a domain ends. */
  public synchronized void forget(final int endpoint) {
    final Integer domain = endpoints.remove(endpoint);
    if (domain != null && !endpoints.containsValue(domain)) {
      domains.remove(domain);
    }
  }

  private int map(final Request request) {
    final NavigableMap<Long, Mapped> ranges = domains.get(request.domain());
    if (ranges == null) {
      return IommuStatus.NOENT;
    }
    if (((request.start() | request.last() + 1 | request.physical()) & 4095) != 0) {
      return IommuStatus.RANGE;
    }
    final Map.Entry<Long, Mapped> below = ranges.floorEntry(request.last());
    if (below != null && below.getValue().last() >= request.start()) {
      return IommuStatus.INVAL;
    }
    ranges.put(request.start(), new Mapped(request.last(), request.physical(), request.flags()));
    return IommuStatus.OK;
  }

  private int unmap(final Request request) {
    final NavigableMap<Long, Mapped> ranges = domains.get(request.domain());
    if (ranges == null) {
      return IommuStatus.NOENT;
    }
    final List<Long> inside = new ArrayList<>();
    for (final Map.Entry<Long, Mapped> range : ranges.entrySet()) {
      final boolean touches =
          range.getKey() <= request.last() && range.getValue().last() >= request.start();
      if (touches
          && (range.getKey() < request.start() || range.getValue().last() > request.last())) {
        return IommuStatus.RANGE;
      }
      if (touches) {
        inside.add(range.getKey());
      }
    }
    inside.forEach(ranges::remove);
    return IommuStatus.OK;
  }

  /** Reports a fault; whether there was a buffer for it. */
  public boolean fault(final int reason, final int flags, final int endpoint, final long address) {
    final byte[] event = new byte[VirtioIommuDescriptor.EVENT_SIZE];
    final MemorySegment at = MemorySegment.ofArray(event);
    event[0] = (byte) reason;
    at.set(U32, VirtioIommuDescriptor.EVENT_FLAGS, flags);
    at.set(U32, VirtioIommuDescriptor.EVENT_ENDPOINT, endpoint);
    at.set(U64, VirtioIommuDescriptor.EVENT_ADDRESS, address);
    return event(event, event.length, 0);
  }

  /** Sends an event with a used length and an id that may be wrong; whether there was a buffer. */
  public boolean event(final byte[] event, final int length, final int wrongId) {
    final Queue queue = queues[VirtioIommuDescriptor.QUEUE_EVENT];
    final boolean interrupt;
    synchronized (this) {
      final MemorySegment avail = dma(queue.driver, SplitRingDescriptor.availBytes(queue.size));
      final MemorySegment used = dma(queue.device, SplitRingDescriptor.usedBytes(queue.size));
      if (queue.last == index(avail)) {
        return false;
      }
      final int entry = queue.last & (queue.size - 1);
      queue.last = queue.last + 1 & 0xffff;
      final int head = avail.get(U16, SplitRingDescriptor.availEntry(entry)) & 0xffff;
      final MemorySegment table = dma(queue.desc, SplitRingDescriptor.descBytes(queue.size));
      final MemorySegment buffer = dma(descAddress(table, head), descLength(table, head));
      MemorySegment.copy(MemorySegment.ofArray(event), 0, buffer, 0, event.length);
      final int before = queue.used;
      use(queue, used, head + wrongId, length);
      interrupt = wanted(avail, queue, before);
    }
    if (interrupt) {
      raise(msi, queue.vector);
    }
    return true;
  }
}
