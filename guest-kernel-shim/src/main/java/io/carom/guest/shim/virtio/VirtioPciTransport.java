package io.carom.guest.shim.virtio;

import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.memory.SystemBus;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioStatus;
import java.util.concurrent.locks.LockSupport;

/**
 * The modern virtio-pci registers of one function, as the driver uses them: each field with its own
 * width, a 64-bit field as two halves (virtio 1.4, section PCI-specific Initialization And Device
 * Operation). Fields that share a select register are the work thread's; doorbells, ISR and status
 * may be touched by any thread.
 */
public final class VirtioPciTransport {
  /** What every register reads once the function has gone. */
  static final int GONE_STATUS = 0xff;

  private static final long RESET_TIMEOUT_NS = 1_000_000_000L;
  private static final long RESET_POLL_NS = 100_000L;

  private final SystemBus bus;
  private final VirtioStructures structures;

  /** How a reset, of the device or of a queue, ended. */
  public enum ResetOutcome {
    /** The device says that it has let go of its queues, or of the queue. */
    DONE,
    /** The function does not answer any more. */
    GONE,
    /** It did not say so in time: the device may still do DMA. */
    TIMEOUT
  }

  VirtioPciTransport(final SystemBus bus, final PciDevice pci) throws ProbeException {
    this.bus = bus;
    this.structures = VirtioStructures.find(pci);
  }

  VirtioStructures structures() {
    return structures;
  }

  /** The device status. */
  public int status() {
    return (int) read(CommonCfgDescriptor.DEVICE_STATUS, 1);
  }

  /** Adds status bits; the driver never clears one except by a reset. */
  public void addStatus(final int bits) {
    write(CommonCfgDescriptor.DEVICE_STATUS, 1, status() | bits);
  }

  /**
   * Resets the device and waits until it says that it has: it has finished with the queues only
   * when the status reads 0 (section Driver Requirements: Common configuration structure layout).
   */
  public ResetOutcome reset() {
    write(CommonCfgDescriptor.DEVICE_STATUS, 1, 0);
    final long start = System.nanoTime();
    int status = status();
    while (status != 0 && status != GONE_STATUS) {
      if (System.nanoTime() - start > RESET_TIMEOUT_NS) {
        return ResetOutcome.TIMEOUT;
      }
      LockSupport.parkNanos(RESET_POLL_NS);
      status = status();
    }
    return status == 0 ? ResetOutcome.DONE : ResetOutcome.GONE;
  }

  /**
   * Resets one queue and waits until the device says that it has (section Virtqueue Reset); with
   * RING_RESET.
   */
  ResetOutcome resetQueue(final int queue) {
    write(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    write(CommonCfgDescriptor.QUEUE_RESET, 2, 1);
    final long start = System.nanoTime();
    while (true) {
      final long reset = read(CommonCfgDescriptor.QUEUE_RESET, 2);
      if (status() == GONE_STATUS) {
        return ResetOutcome.GONE;
      }
      if (reset == 0 && read(CommonCfgDescriptor.QUEUE_ENABLE, 2) == 0) {
        return ResetOutcome.DONE;
      }
      if (System.nanoTime() - start > RESET_TIMEOUT_NS) {
        return ResetOutcome.TIMEOUT;
      }
      LockSupport.parkNanos(RESET_POLL_NS);
    }
  }

  /**
   * Writes the status and waits until it has some bits and lacks others.
   *
   * @return whether it came to that in time
   */
  boolean changeStatus(final int to, final int set, final int clear) {
    write(CommonCfgDescriptor.DEVICE_STATUS, 1, to);
    final long start = System.nanoTime();
    int status = status();
    while ((status & set) != set || (status & clear) != 0) {
      if (status == GONE_STATUS
          || (status & VirtioStatus.NEEDS_RESET) != 0
          || System.nanoTime() - start > RESET_TIMEOUT_NS) {
        return false;
      }
      LockSupport.parkNanos(RESET_POLL_NS);
      status = status();
    }
    return true;
  }

  /** Bytes of the common configuration. */
  long commonBytes() {
    return structures.common().length();
  }

  /** Reads a byte of the common configuration at a place that is configured; -1 behind its end. */
  int commonByte(final int offset) {
    return offset < commonBytes() ? (int) read(offset, 1) : -1;
  }

  /** What a doorbell of the queue is written, with NOTIF_CONFIG_DATA. */
  int notifyData(final int queue) {
    write(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    return (int) read(CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA, 2);
  }

  /** The 64 feature bits that the device offers. */
  long offered() {
    write(CommonCfgDescriptor.DEVICE_FEATURE_SELECT, 4, 0);
    final long low = read(CommonCfgDescriptor.DEVICE_FEATURE, 4);
    write(CommonCfgDescriptor.DEVICE_FEATURE_SELECT, 4, 1);
    return read(CommonCfgDescriptor.DEVICE_FEATURE, 4) << 32 | low;
  }

  void accept(final long features) {
    write(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, 0);
    write(CommonCfgDescriptor.DRIVER_FEATURE, 4, features & 0xffff_ffffL);
    write(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, 1);
    write(CommonCfgDescriptor.DRIVER_FEATURE, 4, features >>> 32);
  }

  /** Number of queues that the device has. */
  public int queues() {
    return (int) read(CommonCfgDescriptor.NUM_QUEUES, 2);
  }

  /** Most entries of a queue; 0 when there is no such queue. */
  public int queueSize(final int queue) {
    write(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    return (int) read(CommonCfgDescriptor.QUEUE_SIZE, 2);
  }

  /** Sends configuration changes to an MSI-X entry; returns what the device made of it. */
  int configVector(final int entry) {
    write(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, entry);
    return (int) read(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2);
  }

  /** Sends a queue's notifications to an MSI-X entry; returns what the device made of it. */
  int queueVector(final int queue, final int entry) {
    write(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    write(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2, entry);
    return (int) read(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2);
  }

  /** Sets a queue up and enables it; the enable comes last, as the specification demands. */
  void enable(
      final int queue, final int size, final long desc, final long driver, final long device) {
    write(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    write(CommonCfgDescriptor.QUEUE_SIZE, 2, size);
    write64(CommonCfgDescriptor.QUEUE_DESC, desc);
    write64(CommonCfgDescriptor.QUEUE_DRIVER, driver);
    write64(CommonCfgDescriptor.QUEUE_DEVICE, device);
    write(CommonCfgDescriptor.QUEUE_ENABLE, 2, 1);
  }

  /**
   * Where a queue's notifications are written.
   *
   * @param width bytes of a notification
   * @throws ProbeException when the device puts it outside its notification structure, or where no
   *     access of that width may be
   */
  long doorbell(final int queue, final int width) throws ProbeException {
    write(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    final long slot = read(CommonCfgDescriptor.QUEUE_NOTIFY_OFF, 2);
    final long offset = slot * structures.multiplier(); // below 2^48
    final long address = structures.doorbells().address() + offset;
    if (address % width != 0) {
      throw new ProbeException(
          "queue " + queue + ": doorbell at offset " + offset + " is not aligned to " + width);
    }
    if (offset + width > structures.doorbells().length()) {
      throw new ProbeException(
          "queue "
              + queue
              + ": doorbell at offset "
              + offset
              + " is outside the notify structure of "
              + structures.doorbells().length()
              + " bytes");
    }
    return address;
  }

  /** Reads and so clears the ISR status. */
  int isr() {
    return (int) bus.read(structures.isr().address(), 1);
  }

  /**
   * Reads a field of the device configuration, wider ones than 32 bits under the generation loop
   * (section Device Configuration Space). A field behind the structure's end reads 0.
   */
  public long config(final int offset, final int width) {
    final VirtioStructures.Range range = structures.device();
    if (range == null || offset + width > range.length()) {
      return 0;
    }
    final long at = range.address() + offset;
    if (width <= 4) {
      return bus.read(at, width);
    }
    long value = 0;
    for (int attempt = 0;
        attempt < 16;
        attempt++) { // a device that keeps changing is not waited for
      final long before = read(CommonCfgDescriptor.CONFIG_GENERATION, 1);
      value = bus.read(at, 4) | bus.read(at + 4, 4) << 32;
      if (read(CommonCfgDescriptor.CONFIG_GENERATION, 1) == before) {
        break;
      }
    }
    return value;
  }

  private long read(final int field, final int width) {
    return bus.read(structures.common().address() + field, width);
  }

  private void write(final int field, final int width, final long value) {
    bus.write(structures.common().address() + field, width, value);
  }

  private void write64(final int field, final long value) {
    write(field, 4, value & 0xffff_ffffL);
    write(field + 4, 4, value >>> 32);
  }
}
