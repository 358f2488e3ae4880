package io.carom.shell.fake;

import io.carom.dma.DmaControl;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.QuarantineInfo;
import io.carom.dma.StrategyInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A DMA core that swaps at once. */
public final class FakeDma implements DmaControl {
  private final FakeVirtio virtio;
  private final Map<String, String> current = new HashMap<>();

  /** Swaps that were asked for: device, strategy and extents. */
  public final List<String> uses = new ArrayList<>();

  /** High-water marks that were reset; {@code null} for all. */
  public final List<String> resets = new ArrayList<>();

  /** Pools beside {@code swiotlb-fixed}. */
  public final List<PoolInfo> morePools = new ArrayList<>();

  /** Occupancies by pool, in the place of the usual one. */
  public final Map<String, PoolOccupancy> occupancies = new HashMap<>();

  /** Live mappings, in the place of the usual one when there are some. */
  public final List<MappingInfo> moreMappings = new ArrayList<>();

  /** Policies that were asked for. */
  public final List<SwapPolicy> policies = new ArrayList<>();

  /** Swaps that are going on. */
  public final List<TransitionInfo> running = new ArrayList<>();

  /** Swaps that are over. */
  public final List<SwapReport> past = new ArrayList<>();

  /** What a swap that was taken back reports. */
  public static final SwapReport CANCELLED =
      new SwapReport(
          "0000:00:04.0",
          "swiotlb-fixed",
          ExtentKind.RAM,
          "direct",
          null,
          1,
          2,
          "CANCELLED",
          10,
          2,
          30,
          4,
          0,
          0,
          0,
          0,
          "cancelled",
          1_700_000_000_000L,
          5,
          0,
          "1 mappings of direct outlived the drain deadline of 30 ms: ADOPTED");

  /** Pools in IOMMU domains. */
  public final List<IovaPoolInfo> iovaPools = new ArrayList<>();

  /** Applied to what is said of devices. */
  public UnaryOperator<DmaDeviceInfo> twist = info -> info;

  FakeDma(final FakeVirtio virtio) {
    this.virtio = virtio;
  }

  @Override
  public List<StrategyInfo> strategies() {
    return List.of(
        new StrategyInfo(
            "direct", List.of(), 0, "No bouncing.", "io.carom.dma.core 0.1.0", List.of()),
        new StrategyInfo(
            "swiotlb-fixed",
            List.of(ExtentKind.RAM, ExtentKind.DEVICE),
            100,
            "Fixed pool.",
            "io.carom.swiotlb 0.1.0",
            List.of("0000:00:04.0")));
  }

  @Override
  public synchronized List<DmaDeviceInfo> devices() {
    return virtio.devices().stream().map(this::info).map(twist).toList();
  }

  @Override
  public PoolOccupancy occupancy(final String pool) {
    final PoolOccupancy told = occupancies.get(pool);
    if (told != null) {
      return told;
    }
    if (!pool.equals("swiotlb-fixed")) {
      throw new IllegalArgumentException("unknown pool '" + pool + "'; valid: swiotlb-fixed");
    }
    return new PoolOccupancy(
        pool,
        List.of(
            new PoolOccupancy.Run("0x1000000", 128, "area 0", "EXTENT"),
            new PoolOccupancy.Run("0x1040000", 128, "area 1", "EXTENT")),
        List.of(new PoolOccupancy.Run("0x1001000", 6, "0000:00:04.0", "BOUNCE")));
  }

  @Override
  public void resetHiwater(final @Nullable String pool) {
    if (pool != null) {
      occupancy(pool);
    }
    resets.add(String.valueOf(pool));
  }

  @Override
  public List<PoolInfo> pools() {
    final List<PoolInfo> pools = new ArrayList<>(morePools);
    pools.addFirst(
        new PoolInfo(
            "swiotlb-fixed",
            "swiotlb-fixed",
            ExtentKind.RAM,
            null,
            "ACTIVE",
            32768,
            12,
            99,
            0,
            4,
            262144));
    return pools;
  }

  @Override
  public synchronized CompletionStage<SwapReport> use(
      final String device, final String strategy, final SwapOptions options) {
    if (!allowed(device).contains(strategy)) {
      throw new IllegalArgumentException(
          "unknown strategy '" + strategy + "'; valid: " + String.join(", ", allowed(device)));
    }
    final String before = strategyOf(device);
    uses.add(device + " " + strategy + " " + options.extents());
    if (options.policy() != null) {
      policies.add(options.policy());
    }
    current.put(device, strategy);
    return CompletableFuture.completedFuture(
        new SwapReport(
            device,
            before,
            null,
            strategy,
            null,
            1,
            2,
            "DRAINED",
            1.5,
            20.25,
            0.5,
            32,
            0,
            3,
            1,
            0,
            "requested",
            0,
            1.25,
            0,
            null));
  }

  @Override
  public List<String> allowed(final String device) {
    for (final VirtioDeviceInfo info : virtio.devices()) {
      if (device.equals(info.address())) {
        return info.policy() == SwiotlbPolicy.STRICT
            ? List.of("swiotlb-device")
            : List.of("direct", "swiotlb-device", "swiotlb-fixed");
      }
    }
    throw new IllegalArgumentException("unknown device '" + device + "'");
  }

  @Override
  public CompletionStage<SwapReport> cancel(final String device) {
    if (running.removeIf(info -> info.device().equals(device))) {
      return CompletableFuture.completedFuture(CANCELLED);
    }
    throw new IllegalStateException("no swap of " + device + " is going on");
  }

  @Override
  public List<QuarantineInfo> quarantined() {
    return List.of();
  }

  @Override
  public List<TransitionInfo> transitions() {
    return List.copyOf(running);
  }

  @Override
  public List<SwapReport> history() {
    return past;
  }

  @Override
  public List<MappingInfo> mappings(final @Nullable String device) {
    if (!moreMappings.isEmpty()) {
      return moreMappings;
    }
    return List.of(
        new MappingInfo(
            device == null ? "0000:00:04.0" : device,
            "0x8000041000",
            "0x1f000000",
            4096,
            DmaDirection.FROM_DEVICE,
            "swiotlb-device",
            ExtentKind.DEVICE,
            2,
            "BOUNCE",
            1,
            7));
  }

  synchronized String strategyOf(final String device) {
    return current.getOrDefault(device, "swiotlb-device");
  }

  private DmaDeviceInfo info(final VirtioDeviceInfo device) {
    final String address = String.valueOf(device.address());
    final String strategy = strategyOf(address);
    return new DmaDeviceInfo(
        address,
        "swiotlb-device",
        strategy,
        strategy.equals("direct") ? null : ExtentKind.DEVICE,
        2,
        device.policy() == SwiotlbPolicy.STRICT,
        3,
        1000,
        997,
        0,
        900,
        4096L * 900,
        4096L * 880,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        16 << 20,
        256 << 10,
        140 << 10,
        0,
        6,
        64,
        0);
  }

  @Override
  public List<IovaPoolInfo> iovaPools() {
    return iovaPools;
  }
}
