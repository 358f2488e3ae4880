package io.carom.shell.result;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.MappingInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Of {@code dma:mappings}: live mappings, oldest first, and their number for each device.
 *
 * @param mappings the mappings
 * @param devices the devices that have some of them, in the order of the oldest
 * @param olderThanMs the age that they have at least, or null for all
 */
public record LiveMappings(
    List<MappingInfo> mappings, List<Device> devices, @Nullable Long olderThanMs) {
  /** Copies the lists. */
  public LiveMappings {
    mappings = List.copyOf(mappings);
    devices = List.copyOf(devices);
  }

  /**
   * The listed mappings of a device.
   *
   * @param device device name
   * @param listed how many are listed; those that share a record counted each
   * @param live how many mappings it has in all, or null when it has gone meanwhile
   * @param bytes bytes of the listed ones
   * @param oldestMs age of the oldest
   */
  public record Device(
      String device, long listed, @Nullable Long live, long bytes, long oldestMs) {}

  /** Of what the core lists. */
  public static LiveMappings of(
      final List<MappingInfo> all,
      final List<DmaDeviceInfo> infos,
      final @Nullable Long olderThanMs) {
    final List<MappingInfo> some =
        all.stream()
            .filter(mapping -> olderThanMs == null || mapping.ageMs() >= olderThanMs)
            .sorted(Comparator.comparingLong(MappingInfo::ageMs).reversed())
            .toList();
    final Map<String, List<MappingInfo>> byDevice = new LinkedHashMap<>();
    some.forEach(m -> byDevice.computeIfAbsent(m.device(), name -> new ArrayList<>()).add(m));
    final List<Device> devices = new ArrayList<>();
    byDevice.forEach(
        (name, mappings) ->
            devices.add(
                new Device(
                    name,
                    mappings.stream().mapToLong(MappingInfo::count).sum(),
                    infos.stream()
                        .filter(info -> info.device().equals(name))
                        .map(DmaDeviceInfo::live)
                        .findFirst()
                        .orElse(null),
                    mappings.stream().mapToLong(m -> m.sizeBytes() * m.count()).sum(),
                    mappings.getFirst().ageMs())));
    return new LiveMappings(some, devices, olderThanMs);
  }
}
