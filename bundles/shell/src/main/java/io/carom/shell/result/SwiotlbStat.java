package io.carom.shell.result;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Of {@code swiotlb:stat}: pools, and what each device holds of them, under the kernel's counter
 * names.
 */
public record SwiotlbStat(List<PoolInfo> pools, List<Device> devices) {
  /** Copies the lists. */
  public SwiotlbStat {
    pools = List.copyOf(pools);
    devices = List.copyOf(devices);
  }

  /**
   * A device's share of bounce memory.
   *
   * @param device device name
   * @param strategy strategy in use, or null for none
   * @param extents kind of its bounce memory, or null when it does not bounce
   * @param pool the pool that its maps take from now, or null
   * @param io_tlb_nslabs slots of that pool, or null
   * @param io_tlb_used slots that its mappings hold
   * @param io_tlb_used_hiwater most slots that they held at a tick of the core, or since reset
   * @param io_tlb_transient_nslabs slots that exist for one of its mappings only; null where the
   *     pool is shared, which does not tell whose they are
   */
  public record Device(
      String device,
      @Nullable String strategy,
      @Nullable ExtentKind extents,
      @Nullable String pool,
      @Nullable Long io_tlb_nslabs,
      long io_tlb_used,
      long io_tlb_used_hiwater,
      @Nullable Long io_tlb_transient_nslabs) {

    /** Of what the core says of a device and of its pool. */
    static Device of(final DmaDeviceInfo info, final @Nullable PoolInfo pool) {
      return new Device(
          info.device(),
          info.strategy(),
          info.extents(),
          pool == null ? null : pool.pool(),
          pool == null ? null : Long.valueOf(pool.io_tlb_nslabs()),
          info.io_tlb_used(),
          info.io_tlb_used_hiwater(),
          pool == null || pool.device() == null
              ? null
              : Long.valueOf(pool.io_tlb_transient_nslabs()));
    }
  }

  /** Of all pools and devices. */
  public static SwiotlbStat of(final List<PoolInfo> pools, final List<DmaDeviceInfo> devices) {
    return new SwiotlbStat(
        pools, devices.stream().map(info -> Device.of(info, poolOf(pools, info))).toList());
  }

  /**
   * What concerns one pool: the pool, and the devices that map from it or have it to themselves.
   */
  public SwiotlbStat ofPool(final String name) {
    final List<PoolInfo> some = pools.stream().filter(pool -> pool.pool().equals(name)).toList();
    return new SwiotlbStat(
        some,
        devices.stream()
            .filter(
                device ->
                    name.equals(device.pool())
                        || some.stream().anyMatch(pool -> device.device().equals(pool.device())))
            .toList());
  }

  /** What concerns one device: the device, its own pools, and the shared one that it maps from. */
  public SwiotlbStat ofDevice(final String name) {
    final List<Device> some =
        devices.stream().filter(device -> device.device().equals(name)).toList();
    return new SwiotlbStat(
        pools.stream()
            .filter(
                pool ->
                    name.equals(pool.device())
                        || some.stream().anyMatch(device -> pool.pool().equals(device.pool())))
            .toList(),
        some);
  }

  private static @Nullable PoolInfo poolOf(final List<PoolInfo> pools, final DmaDeviceInfo info) {
    for (final PoolInfo pool : pools) {
      if (pool.strategy().equals(info.strategy())
          && pool.extents() == info.extents()
          && pool.state().equals("ACTIVE")
          && (pool.device() == null || pool.device().equals(info.device()))) {
        return pool;
      }
    }
    return null;
  }
}
