package io.carom.shell.fake;

import io.carom.guest.BlockDevice;
import io.carom.guest.Entropy;
import io.carom.guest.GuestKernel;
import io.carom.guest.PciDeviceInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A guest that takes up what the host plugs, unless told otherwise. */
public final class FakeGuest implements GuestKernel {
  private final FakeVirtio virtio;

  /** Functions that it enumerated. */
  public final List<PciDeviceInfo> functions = new ArrayList<>();

  /** Addresses that were reset. */
  public final List<String> rebound = new ArrayList<>();

  /** Sources of random bytes. */
  public final List<Entropy> sources = new ArrayList<>();

  FakeGuest(final FakeVirtio virtio) {
    this.virtio = virtio;
  }

  @Override
  public List<String> dmesg() {
    return List.of("[    0.000000] carom guest", "[    0.000012] vda: 64 MiB");
  }

  @Override
  public List<PciDeviceInfo> pciDevices() {
    return functions;
  }

  @Override
  public List<BlockDevice> blockDevices() {
    return List.copyOf(virtio.disks.values());
  }

  @Override
  public Optional<BlockDevice> blockDevice(final String name) {
    return blockDevices().stream().filter(disk -> disk.name().equals(name)).findFirst();
  }

  @Override
  public Optional<BlockDevice> awaitBlockDevice(final String serial, final Duration timeout) {
    return blockDevices().stream().filter(disk -> disk.serial().equals(serial)).findFirst();
  }

  @Override
  public List<Entropy> entropySources() {
    return sources;
  }

  @Override
  public void rebind(final String pciAddress) {
    rebound.add(pciAddress);
  }
}
