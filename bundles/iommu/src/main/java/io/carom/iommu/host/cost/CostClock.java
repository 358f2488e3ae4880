package io.carom.iommu.host.cost;

/** Who pays for time that the model charges. Thread-safe. */
@FunctionalInterface
public interface CostClock {
  /** Lets time pass: returns when it is over, or notes it. */
  void charge(long ns);
}
