package io.carom.shell.result;

import io.carom.iommu.IommuHost;
import io.carom.iommu.IommuHost.FaultCounters;
import io.carom.iommu.IommuHost.FaultInfo;
import java.util.List;

/**
 * Of {@code iommu:faults}: how many there were, and the last of them.
 *
 * @param counters faults since the IOMMU was made
 * @param faults the last, oldest first
 */
public record IommuFaults(FaultCounters counters, List<Fault> faults) {
  /** Copies the list. */
  public IommuFaults {
    faults = List.copyOf(faults);
  }

  /**
   * A fault.
   *
   * @param timeMs milliseconds since the machine began, of the wall clock
   * @param reason {@code UNKNOWN}, {@code DOMAIN} or {@code MAPPING}
   * @param flags such as {@code read} or {@code write}
   * @param endpoint function
   * @param address bus address
   * @param reported whether the guest was told
   */
  public record Fault(
      long timeMs, String reason, String flags, String endpoint, String address, boolean reported) {
    private static Fault of(final FaultInfo info) {
      return new Fault(
          info.timeMs(),
          info.reason(),
          info.flags(),
          info.endpoint(),
          IommuMappings.hex(info.address()),
          info.reported());
    }
  }

  /** Of what an IOMMU tells now. */
  public static IommuFaults of(final IommuHost iommu) {
    return new IommuFaults(iommu.faultCounters(), iommu.faults().stream().map(Fault::of).toList());
  }
}
