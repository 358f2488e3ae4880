package io.carom.guest;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** The running guest kernel: a service, registered once the kernel has booted. Thread-safe. */
@ProviderType
public interface GuestKernel {
  /** The kernel's log, oldest line first, each as {@code [ 0.123456] text}. */
  List<String> dmesg();

  /** The enumerated PCI functions, by address. */
  List<PciDeviceInfo> pciDevices();

  /** The disks, by name. */
  List<BlockDevice> blockDevices();

  /** A disk by its name ({@code vda}), serial, or PCI address. */
  Optional<BlockDevice> blockDevice(String name);

  /** The network interfaces, by name. */
  default List<NetworkInterface> networkInterfaces() {
    return List.of();
  }

  /** Waits for a disk that carries a serial, as after plugging; empty when the time is over. */
  Optional<BlockDevice> awaitBlockDevice(String serial, Duration timeout);

  /** The sources of random bytes, by name. */
  default List<Entropy> entropySources() {
    return List.of();
  }

  /** The consoles and ports, by name. */
  default List<GuestConsole> consoles() {
    return List.of();
  }

  /**
   * Resets a device and starts its driver anew, as unbind and bind would. Outstanding requests end
   * as {@link BlockStatus#GONE}.
   *
   * @throws IllegalArgumentException when there is no such function
   */
  void rebind(String pciAddress);

  /**
   * Has a device rest (virtio 1.4, section Device Suspend). Requests for it wait; their deadlines
   * begin anew when it goes on.
   *
   * @throws IllegalArgumentException when there is no such function
   * @throws IllegalStateException with one line, when it cannot be suspended
   */
  default void suspend(final String pciAddress) {
    throw new IllegalStateException("this kernel suspends no devices");
  }

  /**
   * Has a suspended device go on.
   *
   * @throws IllegalArgumentException when there is no such function
   * @throws IllegalStateException with one line, when it cannot go on
   */
  default void resume(final String pciAddress) {
    throw new IllegalStateException("this kernel suspends no devices");
  }
}
