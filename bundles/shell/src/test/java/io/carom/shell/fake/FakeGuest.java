package io.carom.shell.fake;

import io.carom.guest.BlockDevice;
import io.carom.guest.Entropy;
import io.carom.guest.GuestKernel;
import io.carom.guest.NetworkInterface;
import io.carom.guest.PciDeviceInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A guest that takes up what the host plugs, unless told otherwise. */
public final class FakeGuest implements GuestKernel {
  private final FakeVirtio virtio;
  private final FakeNet net;

  /** Functions that it enumerated. */
  public final List<PciDeviceInfo> functions = new ArrayList<>();

  /** Addresses that were reset. */
  public final List<String> rebound = new ArrayList<>();

  /** Addresses of devices that rest. */
  public final List<String> suspended = new ArrayList<>();

  /** Sources of random bytes. */
  public final List<Entropy> sources = new ArrayList<>();

  FakeGuest(final FakeVirtio virtio, final FakeNet net) {
    this.virtio = virtio;
    this.net = net;
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
  public List<NetworkInterface> networkInterfaces() {
    return net.interfaces();
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

  @Override
  public void suspend(final String pciAddress) {
    if (suspended.contains(pciAddress)) {
      throw new IllegalStateException(pciAddress + " is suspended already");
    }
    suspended.add(pciAddress);
  }

  @Override
  public void resume(final String pciAddress) {
    if (!suspended.remove(pciAddress)) {
      throw new IllegalStateException(pciAddress + " is not suspended");
    }
  }
}
