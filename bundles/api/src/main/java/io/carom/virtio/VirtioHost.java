package io.carom.virtio;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/** The VMM's management of virtio devices: a service of the device bundle. Thread-safe. */
@ProviderType
public interface VirtioHost {
  /** The devices, by name. */
  List<VirtioDeviceInfo> devices();

  /**
   * Makes a block device: checks everything, then writes its factory configuration and waits until
   * the device is plugged.
   *
   * @throws IllegalArgumentException with one line that names the value, the rule and what to
   *     change; nothing was made then
   */
  VirtioDeviceInfo addBlk(BlkSpec spec);

  /**
   * Makes a device of any type that can be configured: checks everything, then writes its factory
   * configuration {@code io.carom.virtio.<type>~<name>} and waits until the device is plugged.
   *
   * @param type such as {@code blk}, {@code net}, {@code console}, {@code rng}
   * @param properties of that configuration, {@code name} among them
   * @throws IllegalArgumentException with one line that names the value, the rule and what to
   *     change; nothing was made then
   */
  VirtioDeviceInfo add(String type, Map<String, Object> properties);

  /**
   * Changes the capacity of a disk that is plugged; the guest is told.
   *
   * @param sizeBytes new size, a positive multiple of 512. A file is extended when it is shorter,
   *     and left as it is when it is longer
   * @return the device as it is then
   * @throws IllegalArgumentException with one line, when there is no such disk or it cannot have
   *     that size; nothing was changed then
   */
  VirtioDeviceInfo resize(String name, long sizeBytes);

  /**
   * Brings a device to rest and tells its state. Its driver does not see that; requests that it
   * makes meanwhile wait, until {@link #restore} or a reset by the driver.
   *
   * @throws IllegalArgumentException when there is no device of that name; the message lists them
   * @throws IllegalStateException with one line, when it does not come to rest; it goes on then
   */
  VirtioState save(String name);

  /**
   * Has a device go on from a state, on the memory that it was saved with: the one that was saved,
   * or another that is made alike and that no driver has begun to use.
   *
   * @throws IllegalArgumentException with one line, when there is no device of that name, or the
   *     state is none of such a device, which is as it was before
   * @throws IllegalStateException with one line, when its driver is using it
   */
  void restore(String name, VirtioState state);

  /** A state as bytes, for {@link #readState} of this version of the code or a newer one. */
  byte[] writeState(VirtioState state);

  /**
   * A state from bytes that anyone may have written.
   *
   * @throws IllegalArgumentException with one line, when they are none
   */
  VirtioState readState(byte[] bytes);

  /**
   * Removes a device: asks the guest to let it go, waits at most {@code timeout}, then takes it out
   * and deletes its configuration.
   *
   * @param force take it out without asking, as a surprise removal
   * @return whether the guest let it go in time; it is removed only then, or with {@code force}
   * @throws IllegalArgumentException when there is no device of that name; the message lists them
   */
  boolean remove(String name, Duration timeout, boolean force);
}
