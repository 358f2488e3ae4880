package io.carom.iommu.host.fault;

import io.carom.iommu.IommuHost.FaultCounters;
import io.carom.iommu.IommuHost.FaultInfo;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.endpoint.Endpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The faults: the last ones, how many there were, and those that the guest is told of. A device can
 * cause them at any rate, so that what the guest is told is bounded by time, as its event queue is
 * bounded by buffers; the rest is counted as dropped. Thread-safe; the monitor is not held while
 * the guest is told.
 */
public final class FaultLog {
  /** Most faults that are kept. */
  public static final int KEPT = 256;

  private static final String[] REASONS = {"UNKNOWN", "DOMAIN", "MAPPING"};
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier nanoTime;
  private final long began;
  private final int perSecond;
  private final Deque<FaultInfo> last = new ArrayDeque<>(KEPT);
  private volatile FaultSink sink = event -> false;
  private long windowBegan;
  private int inWindow;
  private long faults;
  private long reported;

  /**
   * An empty log.
   *
   * @param perSecond events that the guest gets in a second at most
   */
  public FaultLog(final LongSupplier nanoTime, final int perSecond) {
    this.nanoTime = nanoTime;
    this.perSecond = perSecond;
    began = nanoTime.getAsLong();
    windowBegan = began;
  }

  /** Where events go from now on. */
  public void sink(final FaultSink next) {
    sink = next;
  }

  /**
   * A fault; called by the thread of the device that caused it.
   *
   * @param reason {@code VirtioIommuDescriptor.FAULT_*}
   * @param flag FAULT_F_READ or FAULT_F_WRITE
   */
  public void record(
      final int reason, final int flag, final Endpoint endpoint, final long address) {
    final long now = nanoTime.getAsLong();
    final boolean told = mayTell(now) && sink.send(event(reason, flag, endpoint.number(), address));
    final FaultInfo info =
        new FaultInfo(
            TimeUnit.NANOSECONDS.toMillis(now - began),
            REASONS[reason],
            flag == VirtioIommuDescriptor.FAULT_F_READ ? "read" : "write",
            endpoint.port(),
            address,
            told);
    synchronized (this) {
      faults++;
      if (told) {
        reported++;
      }
      if (last.size() == KEPT) {
        last.removeFirst();
      }
      last.addLast(info);
    }
  }

  private synchronized boolean mayTell(final long now) {
    if (now - windowBegan >= WINDOW_NANOS) {
      windowBegan = now;
      inWindow = 0;
    }
    if (inWindow == perSecond) {
      return false;
    }
    inWindow++;
    return true;
  }

  private static byte[] event(
      final int reason, final int flag, final int endpoint, final long address) {
    final ByteBuffer event =
        ByteBuffer.allocate(VirtioIommuDescriptor.EVENT_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    event.put(VirtioIommuDescriptor.EVENT_REASON, (byte) reason);
    event.putInt(VirtioIommuDescriptor.EVENT_FLAGS, flag | VirtioIommuDescriptor.FAULT_F_ADDRESS);
    event.putInt(VirtioIommuDescriptor.EVENT_ENDPOINT, endpoint);
    event.putLong(VirtioIommuDescriptor.EVENT_ADDRESS, address);
    return event.array();
  }

  /** The last faults, oldest first. */
  public synchronized List<FaultInfo> last() {
    return new ArrayList<>(last);
  }

  /** How many there were. */
  public synchronized FaultCounters counters() {
    return new FaultCounters(faults, reported, faults - reported);
  }
}
