package io.carom.guest.shim.rng;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaMemoryException;
import io.carom.guest.Entropy;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioPciTransport.ResetOutcome;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An entropy device under its driver, from probe to removal.
 *
 * <p><b>Data</b> go through one buffer of coherent memory, which the device reaches whatever the
 * strategy and is asked to fill as long as somebody waits. Exactly {@code used.len} bytes of it are
 * taken, never what lies behind them, and they are wiped once they were handed out.
 *
 * <p><b>Locks.</b> A reader holds the lock while it reads: it owns queue and buffer. The interrupt
 * wakes whoever waits, and takes no lock.
 *
 * <p><b>Resets.</b> A device that breaks a rule or asks for a reset is reset and started anew on
 * the work thread; one that has given nothing since the last time is given up. For the DMA core it
 * is reset whatever it gave.
 */
final class VirtioRng implements PciDriver.Binding, Entropy {
  private static final int BUFFER_BYTES = 1024;
  private static final int TOKEN = 0;
  private static final long POLL_NS = 50_000_000L;

  private final VirtioDevice device;
  private final VirtQueue queue;
  private final int number;
  private final EntropyRegistry registry;
  private final Executor work;
  private final ReentrantLock lock = new ReentrantLock();
  private final BufferList chain = new BufferList(1);
  private final AtomicBoolean recovering = new AtomicBoolean();
  private volatile @Nullable Thread waiter;
  private volatile boolean live;
  private volatile boolean removed;
  private volatile long received;
  private @Nullable CoherentBuffer buffer;
  private boolean asked; // guarded by the lock
  private long receivedAtReset = -1; // of the work thread, as the next
  private boolean givenUp;

  VirtioRng(
      final VirtioDevice device,
      final VirtQueue queue,
      final int number,
      final EntropyRegistry registry,
      final Executor work) {
    this.device = device;
    this.queue = queue;
    this.number = number;
    this.registry = registry;
    this.work = work;
  }

  int number() {
    return number;
  }

  void allocate() throws ProbeException {
    try {
      buffer = device.dma().allocateCoherent(BUFFER_BYTES);
    } catch (final DmaMemoryException e) {
      throw new ProbeException("no memory for a buffer: " + e.getMessage());
    }
  }

  private CoherentBuffer memory() {
    final CoherentBuffer of = buffer;
    if (of == null) {
      throw new IllegalStateException(name() + " has no buffer");
    }
    return of;
  }

  /** Shows the queue to the device, which was negotiated with. */
  void start() throws ProbeException {
    asked = false;
    device.enableQueues();
    device.start();
    live = true;
  }

  /** The probe failed: the device was reset. */
  void abandon() {
    removed = true;
    registry.remove(this);
    free();
  }

  private void free() {
    final CoherentBuffer of = buffer;
    if (of != null) {
      buffer = null;
      device.dma().freeCoherent(of);
    }
  }

  /** The queue's interrupt. */
  void wake() {
    final Thread waiting = waiter;
    if (waiting != null) {
      LockSupport.unpark(waiting);
    }
  }

  /** The configuration interrupt, on the interrupt thread. */
  void configChanged() {
    if (device.needsReset()) {
      broken("device needs reset");
    }
  }

  @Override
  public String name() {
    return "hwrng" + number;
  }

  @Override
  public String address() {
    return device.pci().name();
  }

  @Override
  public boolean live() {
    return live;
  }

  @Override
  public long received() {
    return received;
  }

  @Override
  public void read(final byte[] into, final Duration timeout) {
    final long deadline = System.nanoTime() + timeout.toNanos();
    boolean mine = false;
    try {
      mine = lock.tryLock(timeout.toNanos(), TimeUnit.NANOSECONDS);
      if (!mine) {
        throw late(into, 0, timeout);
      }
      int done = 0;
      while (done < into.length) {
        final int piece = piece(into, done, deadline);
        if (piece == 0) {
          throw late(into, done, timeout);
        }
        done += piece;
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(name() + ": the read was interrupted", e);
    } finally {
      if (mine) {
        lock.unlock();
      }
    }
  }

  private IllegalStateException late(final byte[] into, final int done, final Duration timeout) {
    return new IllegalStateException(
        name()
            + " gave "
            + done
            + " of "
            + into.length
            + " bytes within "
            + timeout.toMillis()
            + " ms: wait longer, or raise the rate of its device");
  }

  /** Waits for the next bytes; how many, 0 when the time is over. */
  private int piece(final byte[] into, final int done, final long deadline)
      throws InterruptedException {
    waiter = Thread.currentThread();
    try {
      while (true) {
        if (!live) {
          throw new IllegalStateException(name() + " is gone, or being reset");
        }
        if (!asked) {
          ask(Math.min(into.length - done, BUFFER_BYTES));
        }
        final long taken = queue.take();
        if (taken != VirtQueue.NONE) {
          return accept(VirtQueue.length(taken), into, done);
        }
        final String violation = queue.violation();
        if (violation != null) {
          throw broken(violation);
        }
        final long left = deadline - System.nanoTime();
        if (left <= 0) {
          return 0; // the device keeps the buffer: whoever comes next waits for it
        }
        if (!queue.enableInterrupts()) {
          LockSupport.parkNanos(this, Math.min(left, POLL_NS));
        }
        queue.disableInterrupts();
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
    } finally {
      waiter = null;
    }
  }

  private void ask(final int bytes) {
    chain.clear();
    chain.writable(memory().busAddress(), bytes);
    if (!queue.add(chain, TOKEN)) {
      throw new IllegalStateException(name() + ": no room in an empty queue");
    }
    asked = true;
    queue.publish();
  }

  /** Takes what the device says it wrote, of which the queue has checked that there is room. */
  private int accept(final long length, final byte[] into, final int done) {
    asked = false;
    if (length == 0) {
      throw broken("a buffer came back empty"); // it must hold a byte at least
    }
    final int given = (int) length; // at most the buffer's size
    final int wanted = Math.min(given, into.length - done);
    final MemorySegment bytes = memory().memory().asSlice(0, given);
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, into, done, wanted);
    bytes.fill((byte) 0);
    final long total = received + given; // the lock is held: one writer
    received = total;
    return wanted;
  }

  private IllegalStateException broken(final String reason) {
    if (!removed && recovering.compareAndSet(false, true)) {
      live = false;
      device.dmesg().log("virtio_rng " + device.name() + ": " + name() + ": " + reason);
      wake();
      work.execute(this::recover);
    }
    return new IllegalStateException(name() + ": " + reason + "; it is being reset");
  }

  /** For the DMA core; on the work thread. */
  void fence(final Consumer<Boolean> complete) {
    if (!removed && !givenUp) {
      recovering.set(true);
      live = false;
      device.dmesg().log("virtio_rng " + device.name() + ": " + name() + ": fenced");
      wake();
      recover(complete);
    }
  }

  private void recover() {
    recover(null);
  }

  /**
   * Resets the device and starts it anew.
   *
   * @param complete is told whether the reset was; null for a device that gave reason for it
   */
  private void recover(final @Nullable Consumer<Boolean> complete) {
    lock.lock(); // whoever reads leaves, as the device is not live
    try {
      if (removed) {
        return;
      }
      final boolean hopeless = complete == null && received == receivedAtReset;
      receivedAtReset = complete == null ? received : receivedAtReset;
      final ResetOutcome outcome = device.quiesce();
      if (complete != null) {
        complete.accept(outcome == ResetOutcome.DONE);
      }
      if (hopeless || outcome != ResetOutcome.DONE) {
        giveUp(hopeless ? "nothing came since the last reset" : "reset: " + outcome);
        return;
      }
      device.negotiate(0);
      recovering.set(false);
      start();
      device.dmesg().log("virtio_rng " + device.name() + ": " + name() + " reset");
    } catch (final ProbeException e) {
      giveUp(String.valueOf(e.getMessage()));
    } finally {
      lock.unlock();
    }
  }

  private void giveUp(final String why) {
    givenUp = true;
    live = false;
    recovering.set(true); // for good
    device.dmesg().log("virtio_rng " + device.name() + ": " + name() + " given up: " + why);
    device.fail();
  }

  @Override
  public void remove(final boolean gone) {
    removed = true;
    live = false;
    registry.remove(this);
    wake();
    lock.lock();
    try {
      if (!gone) {
        device.quiesce();
      }
      free();
    } finally {
      lock.unlock();
    }
    device.free();
  }
}
