package io.carom.shell.device;

import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The names of one device.
 *
 * @param host the host's name, such as {@code boot}, or null when the host does not know it
 * @param disk the guest's disk name, such as {@code vda}, or null when it is no disk there
 * @param address PCI address with domain, which is also the DMA core's name; null while unplugged
 */
public record DeviceNames(@Nullable String host, @Nullable String disk, @Nullable String address) {
  private static final String DOMAIN = "0000:";

  /** All of them, the shortest form of the address included. */
  public Stream<String> stream() {
    return Stream.of(disk, host, address, shortAddress()).filter(Objects::nonNull);
  }

  /** Whether a text is one of them. */
  public boolean matches(final String text) {
    return stream().anyMatch(text::equals);
  }

  /** The address without its domain. */
  public @Nullable String shortAddress() {
    return address != null && address.startsWith(DOMAIN)
        ? address.substring(DOMAIN.length())
        : address;
  }

  /** The name that a person would use. */
  public String best() {
    return stream().findFirst().orElse("?");
  }

  /** The PCI address. */
  public String requireAddress() {
    if (address == null) {
      throw new IllegalStateException("device '" + best() + "' is not plugged");
    }
    return address;
  }

  /** The disk name in the guest. */
  public String requireDisk() {
    if (disk == null) {
      throw new IllegalStateException("device '" + best() + "' is not a disk of the guest");
    }
    return disk;
  }

  /** The name on the host. */
  public String requireHost() {
    if (host == null) {
      throw new IllegalStateException("device '" + best() + "' is not a virtio device of the host");
    }
    return host;
  }
}
