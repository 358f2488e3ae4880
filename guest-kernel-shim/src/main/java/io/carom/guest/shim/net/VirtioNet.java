package io.carom.guest.shim.net;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaUsageException;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioPciTransport.ResetOutcome;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A network device under its driver, from probe to removal.
 *
 * <p><b>Resets.</b> A device that asks for a reset, breaks a rule of a ring or takes no packet for
 * a while is reset and initialised anew, on the kernel's work thread: the pairs' threads end, the
 * device is reset, what it had is unmapped, and new threads start. Nothing is unmapped before the
 * reset has ended. Packets of before are lost, as on any network. A device that has moved nothing
 * during {@value #MOST_VAIN_RESETS} resets is given up: it is marked FAILED. The DMA core can have
 * it reset too, to be sure that it reaches no memory of before; such a reset is not counted there.
 */
final class VirtioNet implements PciDriver.Binding {
  static final long FEATURES =
      VirtioFeatures.NET_CSUM
          | VirtioFeatures.NET_GUEST_CSUM
          | VirtioFeatures.NET_MTU
          | VirtioFeatures.NET_MAC
          | VirtioFeatures.NET_MRG_RXBUF
          | VirtioFeatures.NET_STATUS
          | VirtioFeatures.NET_CTRL_VQ
          | VirtioFeatures.NET_MQ;

  static final int MOST_VAIN_RESETS = 3;

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);
  private static final int MERGEABLE_BYTES = 2048;
  private static final int LEAST_BUFFERS = 16;
  private static final int MOST_MEMORY = 2 << 20;

  private final NetPlatform platform;
  private final VirtioDevice device;
  private final long features;
  private final int mtu;
  private final NetStatistics statistics = new NetStatistics();
  private final AtomicBoolean recovering = new AtomicBoolean();
  private final List<QueuePair> pairs = new ArrayList<>();
  private final List<PacketMemory> memories = new ArrayList<>();
  private @Nullable ControlQueue control;
  private volatile @Nullable EthInterface eth;
  private volatile boolean removed;
  private long progressAtReset = -1;
  private int vainResets;
  private boolean givenUp; // of the work thread

  /**
   * A device that was negotiated with.
   *
   * @param features that were asked for
   */
  VirtioNet(
      final NetPlatform platform, final VirtioDevice device, final long features, final int mtu) {
    this.platform = platform;
    this.device = device;
    this.features = features;
    this.mtu = mtu;
  }

  /** Makes a pair of two queues, with packets for them. */
  QueuePair add(final DmaDevice dma, final VirtQueue rx, final VirtQueue tx) {
    final int frame = NetDescriptor.mostFrameBytes(mtu);
    final int whole = NetDescriptor.HEADER_SIZE + frame;
    final int number = pairs.size();
    final PacketMemory rxMemory =
        memory(rx.size(), device.has(VirtioFeatures.NET_MRG_RXBUF) ? MERGEABLE_BYTES : whole);
    final PacketMemory txMemory = memory(tx.size(), whole);
    final QueuePair pair =
        new QueuePair(
            "guest-" + device.name() + "-" + number,
            number,
            new RxRing(rx, dma, rxMemory, statistics),
            new TxRing(tx, dma, txMemory, statistics),
            frame,
            platform.clock(),
            statistics,
            this::received,
            this::broken);
    pairs.add(pair);
    return pair;
  }

  private PacketMemory memory(final int entries, final int bytes) {
    // long packets need fewer buffers, and guests are small
    final int count = Math.min(entries, Math.max(LEAST_BUFFERS, MOST_MEMORY / bytes));
    final PacketMemory made = new PacketMemory(platform.memory(), platform.pages(), count, bytes);
    memories.add(made);
    return made;
  }

  void control(final @Nullable ControlQueue of) {
    control = of;
  }

  /** Starts the device and publishes the interface: the end of a probe. */
  void bringUp(final long mac) throws ProbeException {
    startDevice();
    final int number = platform.interfaces().takeNumber();
    final EthInterface made =
        new EthInterface(
            number,
            device.pci().name(),
            mac,
            mtu,
            List.copyOf(pairs),
            device.has(VirtioFeatures.NET_CSUM),
            linkLocal(mac),
            statistics);
    eth = made;
    readLink();
    pairs.forEach(QueuePair::start);
    device.fence(platform.work(), this::fence);
    platform.interfaces().add(made);
    log(
        made.name()
            + ": "
            + made.mac()
            + ", mtu "
            + mtu
            + ", "
            + pairs.size()
            + " queue pairs, link "
            + (made.linkUp() ? "up" : "down"));
  }

  private Ipv4Address linkLocal(final long mac) {
    final List<EthInterface> others = platform.interfaces().all();
    Ipv4Address address = Ipv4Address.linkLocal(mac, 0);
    for (int i = 1; taken(others, address); i++) {
      address = Ipv4Address.linkLocal(mac, i);
    }
    return address;
  }

  private static boolean taken(final List<EthInterface> others, final Ipv4Address address) {
    return others.stream().anyMatch(of -> of.ipv4Address().address() == address.address());
  }

  /** Shows the queues to the device, which was negotiated with, and fills the receive queues. */
  private void startDevice() throws ProbeException {
    device.enableQueues();
    device.start();
    for (final QueuePair pair : pairs) {
      pair.rx()
          .prepare(
              device.has(VirtioFeatures.NET_MRG_RXBUF), device.has(VirtioFeatures.NET_GUEST_CSUM));
      pair.fill(); // rings doorbells, which must not be before the start
    }
    final ControlQueue requests = control;
    if (requests != null && pairs.size() > 1) {
      requests.pairs(pairs.size());
    }
  }

  private void received(final QueuePair pair, final Packet packet) {
    final EthInterface to = eth;
    if (to != null) {
      to.received(pair, packet);
    }
  }

  /** The configuration interrupt, on the interrupt thread. */
  void configChanged() {
    if (device.needsReset()) {
      broken("device needs reset");
      return;
    }
    readLink();
  }

  private void readLink() {
    final EthInterface of = eth;
    if (of == null || !device.has(VirtioFeatures.NET_STATUS)) {
      return;
    }
    final long status = device.transport().config(NetDescriptor.CONFIG_STATUS, 2);
    final boolean up = (status & NetDescriptor.S_LINK_UP) != 0;
    if (up != of.linkUp()) {
      of.linkUp(up);
      log(of.name() + ": link is " + (up ? "up" : "down"));
    }
  }

  private void log(final String text) {
    platform.dmesg().log("virtio_net " + device.name() + ": " + text);
  }

  /** The device must be reset. Any thread; does not block. */
  private void broken(final String reason) {
    if (!removed && recovering.compareAndSet(false, true)) {
      log(reason);
      platform.work().execute(this::recover);
    }
  }

  /** For the DMA core; on the work thread. */
  private void fence(final Consumer<Boolean> complete) {
    if (!removed && !givenUp) {
      log("fenced: what it has is dropped");
      recovering.set(true);
      recover(complete);
    }
  }

  private void recover() {
    final long progress = statistics.progress();
    vainResets = progress == progressAtReset ? vainResets + 1 : 0;
    progressAtReset = progress;
    recover(complete -> {});
  }

  /**
   * Resets the device and starts it anew.
   *
   * @param complete is told whether the reset was, when nothing is mapped for it any more
   */
  private void recover(final Consumer<Boolean> complete) {
    if (removed) {
      return;
    }
    statistics.resets.increment();
    final boolean stopped = stopPairs();
    final ResetOutcome outcome = device.quiesce();
    if (stopped && outcome == ResetOutcome.DONE) {
      dropPackets();
    }
    // A thread that hangs in the DMA API has mappings, which the device reaches no more either.
    complete.accept(outcome == ResetOutcome.DONE);
    if (!stopped || outcome != ResetOutcome.DONE || vainResets >= MOST_VAIN_RESETS) {
      giveUp(
          !stopped
              ? "a thread hangs in the DMA API"
              : outcome != ResetOutcome.DONE ? "reset: " + outcome : "resets do not help");
      return;
    }
    try {
      device.negotiate(features);
      startDevice();
    } catch (final ProbeException e) {
      giveUp(String.valueOf(e.getMessage()));
      return;
    }
    // before they start: what breaks from now on is another reset, which this thread does next
    recovering.set(false);
    log("reset");
    pairs.forEach(QueuePair::start);
    configChanged(); // whatever it was told of meanwhile
  }

  private void giveUp(final String why) {
    givenUp = true;
    log("given up: " + why);
    final EthInterface of = eth;
    if (of != null) {
      of.end();
    }
    device.fail();
  }

  private boolean stopPairs() {
    boolean stopped = true;
    for (final QueuePair pair : pairs) {
      stopped &= pair.stop(STOP_TIMEOUT);
    }
    return stopped;
  }

  /** What the device had, which was reset, is unmapped. */
  private void dropPackets() {
    for (final QueuePair pair : pairs) {
      pair.rx().drop();
      pair.tx().drop();
    }
  }

  /** The probe failed: the device lets go of the memory, then that is given back. */
  void abandon() {
    removed = true;
    device.quiesce();
    dropPackets();
    free();
  }

  @Override
  public void remove(final boolean gone) {
    removed = true;
    final EthInterface of = eth;
    if (of != null) {
      of.end();
      platform.interfaces().remove(of);
    }
    final boolean stopped = stopPairs();
    if (!gone) {
      device.quiesce();
    }
    if (stopped) {
      try {
        dropPackets();
      } catch (final DmaUsageException e) {
        log("packets stay mapped: " + e.getMessage());
      }
      free();
    } else {
      // a thread in the DMA API may still come back: its memory is leaked, and nobody else's
      log("removed while a thread hangs in the DMA API; its packets stay out of use");
    }
    device.free();
  }

  private void free() {
    final ControlQueue requests = control;
    if (requests != null) {
      requests.free();
      control = null;
    }
    memories.forEach(PacketMemory::free);
    memories.clear();
  }
}
