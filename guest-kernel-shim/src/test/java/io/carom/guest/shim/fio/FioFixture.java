package io.carom.guest.shim.fio;

import io.carom.guest.BlockDevice;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.guest.GuestKernel;
import io.carom.guest.PciDeviceInfo;
import io.carom.guest.shim.fake.AllocatingMemory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A kernel with one fake disk {@code vda} of 1 MiB, and the component on it. */
final class FioFixture implements GuestKernel, AutoCloseable {
  static final int DISK_BYTES = 1 << 20;
  static final int BLOCKS = DISK_BYTES / 4096;

  final AllocatingMemory memory = new AllocatingMemory(16 << 20);
  final FakeDisk disk = new FakeDisk("vda", DISK_BYTES, memory, 2);

  /** Added to the real time: the tests' way to let a deadline pass. */
  final AtomicLong skewNs = new AtomicLong();

  final FioComponent fio;

  private final FioRun.Settings settings;

  FioFixture() {
    this(true);
  }

  FioFixture(final boolean inline) {
    settings =
        new FioRun.Settings(
            () -> System.nanoTime() + skewNs.get(),
            TimeUnit.SECONDS.toNanos(30),
            TimeUnit.MILLISECONDS.toNanos(100),
            inline);
    fio = new FioComponent(this, memory, memory, settings, () -> 1L << 50);
  }

  FioRun.Settings settings() {
    return settings;
  }

  FioResult run(final FioJob job) throws InterruptedException {
    return fio.run(job, FioProgress.SILENT);
  }

  /** Lays out the disk and forgets how. */
  void layOut() throws InterruptedException {
    run(FioJob.of("vda", "read"));
    disk.forgetOrder();
  }

  @Override
  public List<BlockDevice> blockDevices() {
    return List.of(disk);
  }

  @Override
  public Optional<BlockDevice> blockDevice(final String name) {
    return blockDevices().stream().filter(d -> d.name().equals(name)).findFirst();
  }

  @Override
  public List<String> dmesg() {
    return List.of();
  }

  @Override
  public List<PciDeviceInfo> pciDevices() {
    return List.of();
  }

  @Override
  public Optional<BlockDevice> awaitBlockDevice(final String serial, final Duration timeout) {
    return Optional.empty();
  }

  @Override
  public void rebind(final String pciAddress) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    fio.close();
    disk.close();
  }
}
