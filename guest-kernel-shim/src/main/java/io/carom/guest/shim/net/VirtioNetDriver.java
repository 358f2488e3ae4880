package io.carom.guest.shim.net;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioDriver;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes interfaces of virtio network devices (virtio 1.4, section Network Device). */
public final class VirtioNetDriver implements VirtioDriver {
  private static final int MOST_PAIRS = 8;
  private static final int MOST_ENTRIES = 1024;
  private static final int LEAST_ENTRIES = 2;
  private static final int DEFAULT_MTU = 1500;
  private static final int CONTROL_CHAIN = 2;
  private static final int CONTROL_ENTRIES = 64;
  private static final long GROUP = 1L << 40;
  private static final long LOCAL = 2L << 40;

  private final NetPlatform platform;

  /** A driver on a platform. */
  public VirtioNetDriver(final NetPlatform platform) {
    this.platform = platform;
  }

  @Override
  public int type() {
    return VirtioIds.TYPE_NET;
  }

  @Override
  public String name() {
    return "virtio_net";
  }

  @Override
  public PciDriver.Binding probe(final VirtioDevice device) throws ProbeException {
    final long features = negotiate(device);
    final int mtu = mtu(device);
    final long mac = mac(device);
    final int pairs = pairs(device);
    final boolean control = device.has(VirtioFeatures.NET_CTRL_VQ);
    final int[] sizes = queueSizes(device, pairs, control);
    final DmaDevice dma = device.attach(sizes.length, Arrays.stream(sizes).max().orElseThrow());
    final int[] chains = new int[sizes.length];
    Arrays.fill(chains, 1);
    if (control) {
      chains[sizes.length - 1] = CONTROL_CHAIN;
    }
    final List<VirtQueue> queues = device.allocateQueues(sizes, chains);
    final VirtioNet binding = new VirtioNet(platform, device, features, mtu);
    boolean bound = false;
    try {
      build(binding, device, dma, queues, pairs, control);
      binding.bringUp(mac);
      bound = true;
      return binding;
    } catch (final DmaMemoryException e) {
      throw new ProbeException(String.valueOf(e.getMessage()));
    } finally {
      if (!bound) {
        binding.abandon();
      }
    }
  }

  private static int mtu(final VirtioDevice device) throws ProbeException {
    if (!device.has(VirtioFeatures.NET_MTU)) {
      return DEFAULT_MTU;
    }
    final int mtu = (int) device.transport().config(NetDescriptor.CONFIG_MTU, 2);
    if (mtu < NetDescriptor.MIN_MTU) {
      throw new ProbeException("an mtu of " + mtu + " is too small for IPv4");
    }
    return mtu;
  }

  /** The device's address; one that it does not have, or that is none, is made up. */
  private static long mac(final VirtioDevice device) {
    long mac = 0;
    if (device.has(VirtioFeatures.NET_MAC)) {
      for (int i = 0; i < NetDescriptor.MAC_BYTES; i++) {
        mac = mac << 8 | device.transport().config(NetDescriptor.CONFIG_MAC + i, 1) & 0xff;
      }
    }
    if (mac != 0 && (mac & GROUP) == 0) {
      return mac;
    }
    return LOCAL | device.pci().name().hashCode() & 0xffff_ffffL;
  }

  /**
   * Negotiates. The control queue is behind all pairs that there are: a device with more of them
   * than we use is driven as one with a single pair.
   */
  private static long negotiate(final VirtioDevice device) throws ProbeException {
    device.negotiate(VirtioNet.FEATURES);
    if (!device.has(VirtioFeatures.NET_MQ) || offeredPairs(device) <= MOST_PAIRS) {
      return VirtioNet.FEATURES;
    }
    final long single = VirtioNet.FEATURES & ~VirtioFeatures.NET_MQ;
    device.negotiate(single);
    return single;
  }

  private static int offeredPairs(final VirtioDevice device) {
    return (int) device.transport().config(NetDescriptor.CONFIG_MAX_PAIRS, 2);
  }

  private static int pairs(final VirtioDevice device) throws ProbeException {
    if (!device.has(VirtioFeatures.NET_MQ)) {
      return 1;
    }
    final int pairs = offeredPairs(device);
    if (pairs < 1 || pairs > MOST_PAIRS) {
      throw new ProbeException("max_virtqueue_pairs of " + pairs);
    }
    return pairs;
  }

  private static int[] queueSizes(final VirtioDevice device, final int pairs, final boolean control)
      throws ProbeException {
    final int count = 2 * pairs + (control ? 1 : 0);
    if (count > device.transport().queues()) {
      throw new ProbeException(
          "the device has " + device.transport().queues() + " queues, not " + count);
    }
    final int[] sizes = new int[count];
    for (int i = 0; i < count; i++) {
      final boolean last = control && i == count - 1;
      sizes[i] = device.queueSize(i, LEAST_ENTRIES, last ? CONTROL_ENTRIES : MOST_ENTRIES);
    }
    return sizes;
  }

  private void build(
      final VirtioNet binding,
      final VirtioDevice device,
      final DmaDevice dma,
      final List<VirtQueue> queues,
      final int pairs,
      final boolean control) {
    final List<Runnable> wakes = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      final QueuePair pair =
          binding.add(
              dma,
              queues.get(NetDescriptor.receiveQueue(i)),
              queues.get(NetDescriptor.transmitQueue(i)));
      wakes.add(pair::wake);
      wakes.add(pair::wake);
    }
    @Nullable ControlQueue requests = null;
    if (control) {
      requests = new ControlQueue(device, queues.getLast(), dma);
      wakes.add(() -> {}); // its answers are waited for
    }
    binding.control(requests);
    device.interrupts(wakes, binding::configChanged);
  }
}
