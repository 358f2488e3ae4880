package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.guest.shim.block.BlkTunables;
import io.carom.guest.shim.fake.Defaults;
import io.carom.guest.shim.fake.FakeDma;
import io.carom.guest.shim.fio.FioComponent;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.pci.PciFunction;
import io.carom.pcibus.HostBridge;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.type.ErrorLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The guest's drivers against the real machine, host bridge and device, without a container. */
class RealMachineTest {
  private static final long DISK = 1 << 20;
  private static final int BLOCK = 4096;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long STOP_NS = PATIENCE.toNanos();

  private final Ram ram = new Ram(16 << 20, 0);
  private final PageStates states = new PageStates(ram.size(), false);
  private final AddressSpaceMap map = new AddressSpaceMap(ram);
  private final InterruptRouter interrupts = new InterruptRouter();
  private final Ports ports =
      new Ports(new BusTarget(ram, states, map, 0), interrupts, Duration.ofSeconds(10));
  private final GuestRam memory = new GuestRam(ram, states, 0, ports::quiesceAll);
  private final RamPageAllocator pages = new RamPageAllocator(memory);
  private final HostBridge bridge = new HostBridge(map, ports, interrupts);
  private final BlockingQueue<BlockStatus> ended = new LinkedBlockingQueue<>();

  private Guest guest(final VirtioSettings settings) {
    return new Guest(
        memory,
        map,
        interrupts,
        pages,
        new BlkTunables(20_000, 10_000, 5),
        () -> settings,
        () -> true,
        System::nanoTime);
  }

  private void boot(final Guest guest) {
    final boolean booted =
        guest
            .work()
            .call(
                () -> {
                  guest.lookForBridge();
                  guest.dmaArrived(new FakeDma(memory, pages));
                },
                PATIENCE);
    assertThat(booted).isTrue();
  }

  private BlockRequest request(final BlockOp op, final int block, final long buffer) {
    final BlockRequest request = new BlockRequest();
    request.op = op;
    request.sector = (long) block * (BLOCK / 512);
    request.length = BLOCK;
    request.buffer = buffer;
    request.completion = (of, status) -> ended.add(status);
    return request;
  }

  private void awaitAll(final int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      assertThat(ended.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(BlockStatus.OK);
    }
  }

  private void check(final BlockDevice disk, final Random random) throws InterruptedException {
    final int blocks = (int) (DISK / BLOCK);
    final long buffer = pages.allocate(blocks, BLOCK, Long.MAX_VALUE);
    final List<byte[]> written = new ArrayList<>();
    for (int i = 0; i < blocks; i++) {
      final byte[] bytes = new byte[BLOCK];
      random.nextBytes(bytes);
      written.add(bytes);
      memory.segment(buffer + (long) i * BLOCK, BLOCK).asByteBuffer().put(bytes);
      disk.submit(request(BlockOp.WRITE, i, buffer + (long) i * BLOCK));
    }
    awaitAll(blocks);
    memory.segment(buffer, (long) blocks * BLOCK).fill((byte) 0);
    for (int i = 0; i < blocks; i++) {
      disk.submit(request(BlockOp.READ, i, buffer + (long) i * BLOCK));
    }
    awaitAll(blocks);
    for (int i = 0; i < blocks; i++) {
      final byte[] bytes = new byte[BLOCK];
      memory.segment(buffer + (long) i * BLOCK, BLOCK).asByteBuffer().get(bytes);
      assertThat(bytes).isEqualTo(written.get(i));
    }
    pages.free(buffer, blocks);
  }

  /** What the guest does not accept, by bits of a test's number. */
  private static VirtioSettings settings(final int bits) {
    final List<String> denied = new ArrayList<>();
    if ((bits & 1) != 0) {
      denied.add("RING_PACKED");
    }
    if ((bits & 2) != 0) {
      denied.add("IN_ORDER");
    }
    if ((bits & 4) != 0) {
      denied.addAll(List.of("INDIRECT_DESC", "EVENT_IDX"));
    }
    if ((bits & 8) != 0) {
      denied.addAll(List.of("NOTIFICATION_DATA", "NOTIF_CONFIG_DATA"));
    }
    final VirtioSettings settings =
        VirtioSettings.DEFAULTS.withDenied(denied.toArray(String[]::new));
    return (bits & 16) != 0 ? settings.withoutMsix() : settings;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 18, 19, 20, 31})
  @DisplayName("I1 I6 K1 R9 N3 S8 S9 G: real bus and device, every ring, by MSI-X and by INTx")
  void everyCombination(final int bits) throws InterruptedException {
    final long seed = Long.getLong("carom.seed", 5);
    final BlkDevice blk =
        new BlkDevice(
            "disk0", new MemoryBackend(DISK), false, 2, 64, new ErrorLog("real", System::nanoTime));
    final VirtioPciFunction function = new VirtioFunctionBuilder("disk0", blk).build();
    bridge.plug(function, Map.of(PciFunction.NAME, "disk0", PciFunction.SLOT, "00:04.0"));
    final Guest guest = guest(settings(bits));
    try {
      boot(guest);
      final BlockDevice disk =
          guest.blockDevice("vda").orElseThrow(() -> new AssertionError(guest.dmesg()));
      final long accepted = function.info().accepted();
      assertThat((accepted & VirtioFeatures.RING_PACKED) == 0).isEqualTo((bits & 1) != 0);
      assertThat((accepted & VirtioFeatures.IN_ORDER) == 0).isEqualTo((bits & 2) != 0);
      assertThat((accepted & VirtioFeatures.NOTIFICATION_DATA) == 0).isEqualTo((bits & 8) != 0);
      final boolean messages =
          guest.pciDevices().stream()
              .anyMatch(pci -> pci.address().endsWith("00:04.0") && pci.irq() != 0);
      assertThat(messages).as("vectors are taken").isEqualTo((bits & 16) == 0);
      check(disk, new Random(seed));
      guest.suspend("00:04.0");
      guest.resume("00:04.0");
      check(disk, new Random(seed + 1));
      guest.rebind("00:04.0");
      check(guest.blockDevice("vda").orElseThrow(), new Random(seed + 2));
      assertThat(disk.counters().resets()).isZero();
      assertThat(guest.dmesg()).noneMatch(line -> line.contains("refuses"));
    } finally {
      guest.stop(System.nanoTime() + STOP_NS);
      bridge.unplug(function);
      bridge.deactivate();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"trim", "randtrim"})
  @DisplayName("blk G: what the real device is told to discard reads as zero")
  void trims(final String rw) throws InterruptedException {
    final BlkDevice blk =
        new BlkDevice(
            "disk0", new MemoryBackend(DISK), false, 2, 64, new ErrorLog("real", System::nanoTime));
    final VirtioPciFunction function = new VirtioFunctionBuilder("disk0", blk).build();
    bridge.plug(function, Map.of(PciFunction.NAME, "disk0", PciFunction.SLOT, "00:04.0"));
    final Guest guest = guest(VirtioSettings.DEFAULTS);
    try {
      boot(guest);
      final FioComponent fio =
          new FioComponent(guest, pages, memory, Defaults.of(FioComponent.Config.class, Map.of()));
      for (final int bytes : new int[] {1536, BLOCK, 1 << 18}) {
        final FioResult result =
            fio.run(FioJob.of("vda", rw).withBlockSize(bytes).withDepth(4, 1), FioProgress.SILENT);
        assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
        assertThat(result.lostRequests()).isZero();
        assertThat(result.requests()).isEqualTo(DISK / bytes);
        assertThat(result.verifiedBytes()).isEqualTo(DISK / bytes * bytes);
      }
    } finally {
      guest.stop(System.nanoTime() + STOP_NS);
      bridge.unplug(function);
      bridge.deactivate();
    }
  }
}
