package io.carom.virtio;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** A console device as the host sees it: a service for each of them. Thread-safe. */
@ProviderType
public interface VirtioConsole {
  /** Service property: the device's name. */
  String NAME = "io.carom.virtio.console.name";

  /** The device's name. */
  String name();

  /** Its ports, by number. */
  List<ConsolePort> ports();

  /**
   * Adds a port, which the guest is told of.
   *
   * @param name of 0 to 64 bytes in UTF-8
   * @throws IllegalArgumentException when the name is too long
   * @throws IllegalStateException when the device has no room for another one
   */
  ConsolePort addPort(String name);

  /**
   * Removes a port, which the guest is told of.
   *
   * @throws IllegalArgumentException when there is none of that number, or it is port 0
   */
  void removePort(int number);

  /**
   * Changes the size of the console.
   *
   * @throws IllegalArgumentException when one of both is not in 1..65535
   */
  void resize(int columns, int rows);

  /** Columns. */
  int columns();

  /** Rows. */
  int rows();
}
