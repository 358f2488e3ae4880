package io.carom.pcibus.function;

import io.carom.pci.BusPort;
import io.carom.pci.BusSession;
import io.carom.pci.PciAddress;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PortCounters;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * One incarnation of a function: its model, and what the model gets of the bus.
 *
 * <p>An incarnation that is over has no say any more: its levels, its translation and its sessions
 * are ignored, whatever thread of its model is still running. It may raise vectors until it was
 * told that it is unplugged; the table holds them for the next one. The monitor keeps what it says
 * in order with its end, and is held for no call into a model.
 */
final class Attachment implements PciAttachment {
  private static final int NEW = 0;
  private static final int PLUGGING = 1;
  private static final int PLUGGED = 2;
  private static final int UNPLUG_NEXT = 3; // as soon as plugging in has ended
  private static final int UNPLUGGED = 4;
  private static final long PARK_NANOS = 50_000;

  private final FunctionHardware slot;
  private final AbsentCalls absent;
  private final PciFunction model;
  private final boolean overran;
  private final Port port = new Port();
  private final AtomicInteger phase = new AtomicInteger(NEW);
  private final AtomicInteger inside = new AtomicInteger();
  private volatile boolean abandoned;
  private volatile boolean leaving;
  private volatile boolean silenced;
  private boolean over; // guarded by the monitor

  Attachment(
      final FunctionHardware slot,
      final AbsentCalls absent,
      final PciFunction model,
      final boolean overran) {
    this.slot = slot;
    this.absent = absent;
    this.model = model;
    this.overran = overran;
  }

  PciFunction model() {
    return model;
  }

  /** Counts an access in; false, and not counted, when this is not the present one. */
  boolean enter() {
    inside.incrementAndGet();
    if (absent.present() == this) {
      return true;
    }
    leave();
    return false;
  }

  void leave() {
    inside.decrementAndGet();
  }

  /** Whether an access that was inside came out too late for what it did to count. */
  boolean abandoned() {
    return abandoned;
  }

  /**
   * Waits until no access is inside, after this is not the present one any more; those that are
   * inside still are abandoned.
   */
  boolean awaitOutside(final long deadlineNanos) {
    while (inside.get() != 0) {
      if (System.nanoTime() - deadlineNanos >= 0) {
        abandoned = true;
        return false;
      }
      LockSupport.parkNanos(this, PARK_NANOS);
    }
    return true;
  }

  /** Plugging in begins; false when it was taken out before. */
  boolean plugging() {
    return phase.compareAndSet(NEW, PLUGGING);
  }

  /** Plugging in has ended; false when it is to be told at once that it is unplugged. */
  boolean pluggedIn() {
    return phase.compareAndSet(PLUGGING, PLUGGED);
  }

  /**
   * Claims the right and the duty to tell the model that it is unplugged; given once. While it is
   * being plugged in, whoever does that has them.
   */
  boolean beginUnplug() {
    while (true) {
      final int now = phase.get();
      final int next = now == PLUGGING ? UNPLUG_NEXT : UNPLUGGED;
      if (now == UNPLUG_NEXT || now == UNPLUGGED) {
        return false;
      }
      if (phase.compareAndSet(now, next)) {
        return now == PLUGGED;
      }
    }
  }

  /** It has no say from now on, but for vectors. */
  synchronized void end() {
    over = true;
  }

  /** It has been told, or hangs: it raises no vectors any more. */
  void silence() {
    silenced = true;
  }

  boolean isLeaving() {
    return leaving;
  }

  @Override
  public PciAddress address() {
    return slot.address();
  }

  @Override
  public BusPort port() {
    return port;
  }

  @Override
  public synchronized void translated(final boolean on) {
    if (!over) {
      slot.translated(on);
    }
  }

  @Override
  public void leaving() {
    leaving = true;
  }

  @Override
  public boolean overran() {
    return overran;
  }

  @Override
  public boolean msixEnabled() {
    return slot.msixEnabled();
  }

  @Override
  public int vectors() {
    return slot.vectors();
  }

  @Override
  public void raise(final int vector) {
    if (!silenced) {
      slot.raise(vector);
    }
  }

  @Override
  public synchronized void forgetPending() {
    if (!over) {
      slot.forgetPending();
    }
  }

  @Override
  public synchronized void intx(final boolean asserted) {
    if (!over) {
      slot.line().set(asserted);
    }
  }

  @Override
  public long barAddress(final int index) {
    return slot.config().barAddress(index);
  }

  @Override
  public long ownRangeAddress() {
    return slot.range().address();
  }

  /** The function's port for this incarnation: sessions of the next epoch are not for it. */
  private final class Port implements BusPort {
    @Override
    public String name() {
      return slot.control().port().name();
    }

    @Override
    public BusSession open() {
      synchronized (Attachment.this) {
        return over ? new RevokedSession() : slot.control().port().open();
      }
    }

    @Override
    public long unprotectedPages() {
      return slot.control().port().unprotectedPages();
    }

    @Override
    public PortCounters counters() {
      return slot.control().port().counters();
    }

    @Override
    public boolean message(final long address, final int data) {
      return !silenced && slot.control().port().message(address, data);
    }
  }
}
