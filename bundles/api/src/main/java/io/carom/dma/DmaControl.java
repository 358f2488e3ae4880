package io.carom.dma;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** Management of the DMA core: a service. Thread-safe; what it returns is a snapshot. */
@ProviderType
public interface DmaControl {
  /** The strategies that are there, by name. */
  List<StrategyInfo> strategies();

  /** The attached devices, by name. */
  List<DmaDeviceInfo> devices();

  /** The pools, active ones first. */
  List<PoolInfo> pools();

  /**
   * Makes a device use a strategy from now on, while I/O goes on.
   *
   * @param device device name, with or without the PCI domain
   * @param strategy strategy name, or the alias {@code swiotlb-device}
   * @return completes when the swap is over: drained, or its deadline applied
   * @throws IllegalArgumentException when there is no such device or strategy (the message lists
   *     the valid ones), or the device's negotiation forbids it (the message says why)
   * @throws IllegalStateException when a swap of the device is going on, or the strategy is not
   *     ready; nothing was changed
   */
  CompletionStage<SwapReport> use(String device, String strategy, SwapOptions options);

  /**
   * The names that {@link #use} would accept for a device now.
   *
   * @throws IllegalArgumentException when there is no such device
   */
  List<String> allowed(String device);

  /**
   * Takes a swap back while it drains: the strategy before becomes current again, and what was
   * mapped since drains. Maps go on meanwhile.
   *
   * @return completes when that is over, with outcome {@code CANCELLED}; so does what {@link #use}
   *     returned
   * @throws IllegalArgumentException when there is no such device
   * @throws IllegalStateException when no swap of it is draining, or the strategy before cannot
   *     come back, as its service is gone or its deadline has passed; nothing was changed
   */
  CompletionStage<SwapReport> cancel(String device);

  /** Bounce memory that is out of use until it is known that no device reaches it. */
  List<QuarantineInfo> quarantined();

  /** Swaps that are going on. */
  List<TransitionInfo> transitions();

  /** The last swaps, oldest first, at most 256. */
  List<SwapReport> history();

  /** The pools in IOMMU domains, by domain. */
  List<IovaPoolInfo> iovaPools();

  /**
   * Which device holds which slots of a pool now.
   *
   * @throws IllegalArgumentException when there is no such pool; the message lists the valid ones
   */
  PoolOccupancy occupancy(String pool);

  /**
   * Sets high-water marks back to what is used now.
   *
   * @param pool pool name, or null for all pools and devices
   * @throws IllegalArgumentException when there is no such pool
   */
  void resetHiwater(@Nullable String pool);

  /** Live mappings of a device, oldest first; of all devices for null. */
  List<MappingInfo> mappings(@Nullable String device);
}
