package io.carom.fuzz;

import static io.carom.fuzz.Subject.require;

import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciFunction;
import io.carom.pcibus.HostBridge;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import java.time.Duration;
import java.util.Map;

/**
 * The configuration space of a disk on the real bus of a real machine: any access of any width,
 * through the PCI_CFG window too, and then at wherever the BARs went.
 */
public final class ConfigSpaceTarget {
  private static final long RAM = 1 << 20;
  private static final long SLOT = PhysicalLayout.ECAM_BASE + (4L << 15);
  private static final AddressSpaceMap MAP;
  private static final HostBridge BRIDGE;

  static {
    final Ram ram = new Ram(RAM, 0);
    MAP = new AddressSpaceMap(ram);
    final InterruptRouter interrupts = new InterruptRouter();
    final BusTarget target = new BusTarget(ram, new PageStates(ram.size(), false), MAP, 0);
    BRIDGE = new HostBridge(MAP, new Ports(target, interrupts, Duration.ofSeconds(10)), interrupts);
  }

  private ConfigSpaceTarget() {}

  private static long config(final int register, final int width) {
    return MAP.read(SLOT + register, width);
  }

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    final FuzzInput input = new FuzzInput(bytes);
    final VirtioPciFunction function =
        new VirtioFunctionBuilder(
                "disk",
                new BlkDevice(
                    "disk", new MemoryBackend(512 * 8), false, 1, 32, Subject.quiet("disk")))
            .workers(WorkerOptions.manual())
            .errors(Subject.quiet("disk"))
            .build();
    BRIDGE.plug(function, Map.of(PciFunction.NAME, "disk", PciFunction.SLOT, "00:04.0"));
    try {
      final long identity = config(ConfigSpaceDescriptor.VENDOR_ID, 4);
      final long capabilities = walk();
      final long[] bars = new long[ConfigSpaceDescriptor.BARS];
      for (int i = 0; i < 256 && input.more(); i++) {
        step(input, bars);
      }
      require(config(ConfigSpaceDescriptor.VENDOR_ID, 4) == identity, "the identity changed");
      require(walk() == capabilities, "the capability list changed");
      function.processNow();
    } finally {
      BRIDGE.unplug(function);
    }
    require(config(ConfigSpaceDescriptor.VENDOR_ID, 4) == 0xffff_ffffL, "it is still there");
  }

  private static void step(final FuzzInput input, final long[] bars) {
    final int what = input.u8();
    final int width = 1 << (what & 3);
    switch (what >>> 2 & 7) {
      case 0 -> config(input.below(0x1000) & -width, width);
      case 1 -> MAP.write(SLOT + (input.below(0x1000) & -width), width, input.u64());
      case 2 -> MAP.write(SLOT + (input.u8() & -width), width, input.u64());
      case 3 -> {
        // a BAR at a place of the window for devices
        final int bar = input.below(ConfigSpaceDescriptor.BARS);
        final long address =
            (bar == 0 || bar == 1 ? 0xc000_0000L : 0x80_0000_0000L) + ((long) input.u8() << 14);
        final int register = ConfigSpaceDescriptor.bar(bar);
        MAP.write(SLOT + register, 4, address & 0xffff_ffffL);
        if (bar >= 2 && bar < 5) {
          MAP.write(SLOT + register + 4, 4, address >>> 32);
        }
        bars[bar] = address;
      }
      case 4 -> MAP.write(SLOT + ConfigSpaceDescriptor.COMMAND, 2, input.u16());
      case 5 -> MAP.read(bars[input.below(bars.length)] + (input.u16() & -width), width);
      default ->
          MAP.write(bars[input.below(bars.length)] + (input.u16() & -width), width, input.u64());
    }
  }

  /** Walks the capability list; a number that tells lists apart. */
  private static long walk() {
    long sum = 0;
    int at = (int) config(ConfigSpaceDescriptor.CAPABILITY_POINTER, 1);
    for (int hops = 0; at != 0; hops++) {
      require(hops < 48, "the capability list does not end");
      require(at >= ConfigSpaceDescriptor.CAPABILITIES && (at & 3) == 0, "a wrong pointer");
      sum = 31 * sum + config(at, 2);
      at = (int) config(at + 1, 1);
    }
    return sum;
  }
}
