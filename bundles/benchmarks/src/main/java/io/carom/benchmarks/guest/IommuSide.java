package io.carom.benchmarks.guest;

import io.carom.iommu.IommuCounters;

/** What stands between the bench device and memory, with the guest's driver of it. */
interface IommuSide extends AutoCloseable {
  /** Nothing. */
  IommuSide NONE = () -> new IommuCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  /** What the guest asked of it. */
  IommuCounters counters();

  @Override
  default void close() {}
}
