package io.carom.shell.result;

import io.carom.shell.json.Failing;

/**
 * The end of a device.
 *
 * @param name host name
 * @param removed whether it is gone
 * @param released whether the guest let it go in time
 */
public record DeviceRemoved(String name, boolean removed, boolean released) implements Failing {
  @Override
  public boolean failed() {
    return !removed;
  }
}
