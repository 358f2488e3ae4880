package io.carom.benchmarks.io;

import io.carom.iommu.CostProfile;
import io.carom.pci.BusPort;
import io.carom.pci.BusSession;

/** A device on a virtual clock: it does its work on the thread of its driver, when it is due. */
final class ModelledDevice implements IoDevice {
  private final VirtualTime time;
  private final Medium medium;
  private final BusSession session;
  private final Request[] requests;
  private final DevicePace pace;
  private final int[] queue;
  private final long[] doneAt;
  private int first;
  private int queued;

  /** An idle device. */
  ModelledDevice(
      final VirtualTime time,
      final Medium medium,
      final BusPort port,
      final Request[] requests,
      final CostProfile costs) {
    this.time = time;
    this.medium = medium;
    this.requests = requests;
    session = port.open();
    pace = new DevicePace(costs, time.nanoTime());
    queue = new int[requests.length];
    doneAt = new long[requests.length];
  }

  @Override
  public void submit(final int slot) {
    time.spend(pace.requestNs());
    final int at = (first + queued++) % queue.length;
    queue[at] = slot;
    doneAt[at] = pace.doneAt(time.nanoTime(), requests[slot].bytes());
    time.advanceTo(time.nanoTime()); // whoever is due meanwhile
  }

  @Override
  public int reap(final int[] slots) {
    time.advanceTo(doneAt[first]);
    int reaped = 0;
    while (queued > 0 && doneAt[first] <= time.nanoTime()) {
      final int slot = queue[first];
      medium.move(session, requests[slot]);
      slots[reaped++] = slot;
      first = (first + 1) % queue.length;
      queued--;
    }
    return reaped;
  }

  @Override
  public void close() {
    session.close();
  }
}
