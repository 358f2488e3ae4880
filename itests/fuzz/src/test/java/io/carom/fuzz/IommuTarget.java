package io.carom.fuzz;

import static io.carom.fuzz.Subject.require;

import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.Iommu;
import io.carom.iommu.host.IommuModel;
import io.carom.iommu.host.IommuSettings;
import io.carom.iommu.host.cost.VirtualClock;
import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.iommu.IommuStore;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import io.carom.virtio.device.model.ModelDevice;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;

/**
 * Requests to the virtio-iommu, over its ring, and accesses of the functions behind it: whatever
 * was mapped, they reach RAM or nothing.
 */
public final class IommuTarget {
  private static final long RAM = 1 << 20;
  private static final String PORT = "00:04.0";
  private static final int ENDPOINT = 0x20;
  private static final long REQUEST = Subject.REQUESTS;
  private static final long TAIL = Subject.REQUESTS + 0x1000;
  private static final int TAIL_BYTES = 4;
  private static final int LAST_STATUS = 8;
  private static final Ram MEMORY = new Ram(RAM, 0);
  private static final PortControl CONTROL;
  private static final Subject SUBJECT;

  static {
    final Ports ports =
        new Ports(
            new BusTarget(
                MEMORY, new PageStates(MEMORY.size(), false), new AddressSpaceMap(MEMORY), 0),
            new InterruptRouter(),
            Duration.ofSeconds(10));
    CONTROL = ports.create(PORT);
    CONTROL.busMaster(true);
    final Iommu iommu =
        new Iommu(
            IommuSettings.DEFAULTS.withLimits(50, 64),
            ports,
            () -> List.of(PORT, "00:05.0"),
            (address, bytes, mmio) -> mmio || address + bytes <= RAM ? address : -1,
            new VirtualClock(),
            () -> 0,
            new IommuStore().claim());
    iommu.start();
    SUBJECT = new Subject("iommu", new ModelDevice(new IommuModel(iommu), "fuzz"));
  }

  private IommuTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    final FuzzInput input = new FuzzInput(bytes);
    SUBJECT.begin();
    final RingLayout layout = (input.u8() & 1) == 0 ? RingLayout.SPLIT : RingLayout.PACKED;
    final TestRing[] rings = SUBJECT.start(layout, 0xff_ffffL, 2);
    try (BusSession session = CONTROL.port().open()) {
      for (int i = 0; i < 64 && input.more() && !SUBJECT.driver.needsReset(); i++) {
        step(input, rings, session);
      }
    }
  }

  private static void step(
      final FuzzInput input, final TestRing[] rings, final BusSession session) {
    switch (input.u8() & 7) {
      case 0 -> access(input, session);
      case 1 -> {
        if (rings[1].outstanding() < Subject.QUEUE_SIZE) {
          rings[1].add(Element.writable(REQUEST + 0x2000, 1 + input.u8()));
          SUBJECT.kick(1);
        }
      }
      case 2 -> {
        while (rings[1].take() != null) {
          // faults that were told
        }
      }
      case 3 -> SUBJECT.driver.config(input.below(64), 1, input.u8());
      default -> request(input, rings[0]);
    }
  }

  private static void request(final FuzzInput input, final TestRing ring) {
    final int type = (int) input.oneOf(3, 1, 4, 2, 5, 0, 6) & 0xff;
    final int size = (int) input.oneOf(size(type), size(type), size(type), 1, 4, 16, 19, 128) & 127;
    final int room = (int) input.oneOf(TAIL_BYTES, TAIL_BYTES, 516, 3, 8, 600, 1) & 0xfff;
    SUBJECT.memory.fill(REQUEST, 128, 0);
    SUBJECT.memory.put8(REQUEST, type);
    SUBJECT.memory.put8(REQUEST + 1, input.u8() < 0xf0 ? 0 : input.u8());
    SUBJECT.memory.put32(REQUEST + 4, input.oneOf(1, 1, 2, 0, ENDPOINT, 0xffff, 0x10000, -1));
    switch (type) {
      case 1, 2 -> {
        SUBJECT.memory.put32(REQUEST + 8, input.oneOf(ENDPOINT, ENDPOINT, 0x28, 0, -1));
        SUBJECT.memory.put32(REQUEST + 12, input.oneOf(0, 0, 0, 1, 2));
      }
      default -> {
        SUBJECT.memory.put64(REQUEST + 8, address(input));
        SUBJECT.memory.put64(REQUEST + 16, address(input) + input.oneOf(-1, -1, 0, 0xfff));
        SUBJECT.memory.put64(REQUEST + 24, address(input));
        SUBJECT.memory.put32(REQUEST + 32, input.oneOf(3, 1, 2, 7, 4, 0, 8, -1));
      }
    }
    if (size == 0 || room == 0) {
      return;
    }
    final int id = ring.add(Element.readable(REQUEST, size), Element.writable(TAIL, room));
    SUBJECT.kick(0);
    final Used used = ring.take();
    if (used == null) {
      require(SUBJECT.driver.needsReset(), "a request was lost");
      return;
    }
    require(used.id() == id && used.length() <= room, "a wrong length");
    if (used.length() >= TAIL_BYTES) {
      final int status = SUBJECT.memory.get8(TAIL + used.length() - TAIL_BYTES);
      require(status <= LAST_STATUS, "an unknown status");
    }
  }

  private static int size(final int type) {
    return switch (type) {
      case 1, 2 -> 20;
      case 3 -> 36;
      case 4 -> 28;
      case 5 -> 72;
      default -> VirtioIommuDescriptor.TYPE;
    };
  }

  private static long address(final FuzzInput input) {
    return input.oneOf(
        0,
        0x1000,
        0x2000,
        0x10000,
        0x20_0000,
        RAM,
        RAM - 0x1000,
        1L << 32,
        1L << 47,
        1L << 48,
        0xfee0_0000L,
        -0x1000,
        Long.MIN_VALUE);
  }

  /** An access of the function: it ends in RAM, or is refused. */
  private static void access(final FuzzInput input, final BusSession session) {
    final long address = address(input) + ((long) input.u8() << 4);
    final long length = 1L + input.below(0x2000);
    final BusAccess access = input.u8() < 128 ? BusAccess.READ : BusAccess.WRITE;
    if (session.begin() < 0) {
      return;
    }
    try {
      final long together = session.contiguous(address, length, access);
      require(together >= 1 && together <= length, "a wrong piece");
      final MemorySegment run = session.resolve(address, together, access);
      require(run.byteSize() == together, "a run of the wrong length");
      run.asByteBuffer().get(0);
    } catch (final BusFaultException e) {
      require(e.length() <= length, "a fault of more than was asked for");
    } finally {
      session.end();
    }
  }
}
