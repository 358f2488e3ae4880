package io.carom.guest.shim.net;

import io.carom.guest.NetworkInterface.NetCounters;
import java.util.concurrent.atomic.LongAdder;

/** Counters of an interface. Thread-safe. */
final class NetStatistics {
  final LongAdder txPackets = new LongAdder();
  final LongAdder txBytes = new LongAdder();
  final LongAdder txDropped = new LongAdder();
  final LongAdder rxPackets = new LongAdder();
  final LongAdder rxBytes = new LongAdder();
  final LongAdder rxDropped = new LongAdder();
  final LongAdder rxErrors = new LongAdder();
  final LongAdder mapFailures = new LongAdder();
  final LongAdder resets = new LongAdder();

  /** What tells that a device works: packets that it took or brought. */
  long progress() {
    return txPackets.sum() + rxPackets.sum();
  }

  NetCounters counters() {
    return new NetCounters(
        txPackets.sum(),
        txBytes.sum(),
        txDropped.sum(),
        rxPackets.sum(),
        rxBytes.sum(),
        rxDropped.sum(),
        rxErrors.sum(),
        mapFailures.sum(),
        resets.sum());
  }
}
