package io.carom.iommu.host.fault;

/** Tells the guest of an event. Thread-safe; must not wait. */
@FunctionalInterface
public interface FaultSink {
  /** Sends an event; false when the guest has no room for it. */
  boolean send(byte[] event);
}
