package io.carom.guest.shim.console;

import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioDriver;
import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import java.util.Arrays;
import java.util.List;

/** Drives consoles (virtio 1.4, section Console Device). */
public final class VirtioConsoleDriver implements VirtioDriver {
  static final long FEATURES =
      VirtioFeatures.CONSOLE_SIZE
          | VirtioFeatures.CONSOLE_MULTIPORT
          | VirtioFeatures.CONSOLE_EMERG_WRITE;

  private static final int MOST_PORTS = 31;
  private static final int MOST_ENTRIES = 64;

  private final ConsolePlatform platform;

  /** A driver on a platform. */
  public VirtioConsoleDriver(final ConsolePlatform platform) {
    this.platform = platform;
  }

  @Override
  public int type() {
    return VirtioIds.TYPE_CONSOLE;
  }

  @Override
  public String name() {
    return "virtio_console";
  }

  @Override
  public PciDriver.Binding probe(final VirtioDevice device) throws ProbeException {
    device.negotiate(FEATURES);
    EmergencyLine.say(device, "Carom guest: console " + device.name() + "\r\n");
    final int ports = ports(device);
    final int queueCount = queues(device, ports);
    final int[] sizes = new int[queueCount];
    for (int i = 0; i < queueCount; i++) {
      sizes[i] = device.queueSize(i, 1, MOST_ENTRIES);
    }
    device.attachForRings(queueCount, Arrays.stream(sizes).max().orElseThrow());
    final int[] chains = new int[queueCount];
    Arrays.fill(chains, 1);
    final List<VirtQueue> rings = device.allocateQueues(sizes, chains);
    final ConsoleBinding binding = new ConsoleBinding(platform, device, rings, ports);
    boolean bound = false;
    try {
      binding.allocate();
      device.interrupts(binding.wakes(), binding::configChanged);
      binding.start();
      device.fence(binding.work(), binding::fence);
      bound = true;
      return binding;
    } finally {
      if (!bound) {
        device.quiesce(); // before the memory that it may still use is given back
        binding.abandon();
      }
    }
  }

  private static int ports(final VirtioDevice device) throws ProbeException {
    if (!device.has(VirtioFeatures.CONSOLE_MULTIPORT)) {
      return 1;
    }
    final long most = device.transport().config(ConsoleDescriptor.CONFIG_MAX_PORTS, 4);
    if (most < 1) {
      throw new ProbeException("MULTIPORT with " + most + " ports");
    }
    return (int) Math.min(most, MOST_PORTS);
  }

  private static int queues(final VirtioDevice device, final int ports) throws ProbeException {
    final int needed =
        device.has(VirtioFeatures.CONSOLE_MULTIPORT)
            ? Math.max(
                    ConsoleDescriptor.CONTROL_TRANSMIT, ConsoleDescriptor.transmitQueue(ports - 1))
                + 1
            : 2;
    if (device.transport().queues() < needed) {
      throw new ProbeException(
          ports + " ports need " + needed + " queues, and it has " + device.transport().queues());
    }
    return needed;
  }
}
