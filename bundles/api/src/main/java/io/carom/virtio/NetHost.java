package io.carom.virtio;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The host's end of network devices: a service of the device bundle. Thread-safe. */
@ProviderType
public interface NetHost {
  /** The network devices, by name. */
  List<NetPortInfo> ports();

  /**
   * Sets the link of a device up or down; the driver is told, if it accepted STATUS. Frames to and
   * from a device whose link is down are dropped, and counted.
   *
   * @throws IllegalArgumentException when there is no network device of that name; the message
   *     lists them
   */
  NetPortInfo link(String name, boolean up);
}
