package io.carom.shell.result;

import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioFeatures;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The feature bits of a device.
 *
 * @param device host name
 * @param features the offered ones, ascending
 */
public record FeatureTable(String device, List<Feature> features) {
  /**
   * A feature bit.
   *
   * @param bit its number
   * @param name its name, without prefix
   * @param offered by the device
   * @param accepted by the driver
   */
  public record Feature(int bit, String name, boolean offered, boolean accepted) {}

  /** Of a device. */
  public static FeatureTable of(final VirtioDeviceInfo info) {
    return new FeatureTable(
        info.name(),
        IntStream.range(0, Long.SIZE)
            .filter(bit -> isSet(info.offered() | info.accepted(), bit))
            .mapToObj(
                bit ->
                    new Feature(
                        bit,
                        VirtioFeatures.name(info.typeId(), bit),
                        isSet(info.offered(), bit),
                        isSet(info.accepted(), bit)))
            .toList());
  }

  private static boolean isSet(final long word, final int bit) {
    return (word >>> bit & 1) != 0;
  }
}
