package io.carom.pcibus.function;

import io.carom.memory.MmioRetry;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.PortControl;
import io.carom.pcibus.config.FunctionRegisters;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Configuration accesses of one function and what follows from them.
 *
 * <p>One lock serialises them, side effects included: what the guest reads back is in force. Under
 * it the port is told of new routes and waits, for a bounded time, for device sections; no deadlock
 * can come of that, as nothing that a device does inside a section (DMA, raising interrupts) takes
 * this lock. Accesses to BARs do not take it either. It may be taken again by its holder: a
 * capability may reach a BAR, and through that the device, from within an access.
 *
 * <p>While the function's model is away, what is stored here answers as ever and takes effect. Only
 * an access that would run the model's code, to a capability with side effects, waits as one to a
 * register BAR does, without the lock. Who comes back is told of the command register with the lock
 * held, so that no change overtakes another.
 */
final class FunctionConfig {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionConfig.class);

  /** Status bit 13: an access of the device found nothing at its address. */
  private static final int STATUS_MASTER_ABORT = 1 << 13;

  private final String label;
  private final FunctionRegisters registers;
  private final List<BarDecoder> bars;
  private final PortControl port;
  private final OwnRangeRoute range;
  private final FunctionCalls function;
  private final IntxLine line;
  private final @Nullable MsixTable msix;
  private final Runnable changed;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean removed;
  private volatile boolean suspended; // removed is set too
  private long faultsShown;

  FunctionConfig(
      final String label,
      final FunctionRegisters registers,
      final List<BarDecoder> bars,
      final PortControl port,
      final OwnRangeRoute range,
      final FunctionCalls function,
      final IntxLine line,
      final @Nullable MsixTable msix,
      final Runnable changed) {
    this.label = label;
    this.registers = registers;
    this.bars = bars;
    this.port = port;
    this.range = range;
    this.function = function;
    this.line = line;
    this.msix = msix;
    this.changed = changed;
  }

  /** A load of 1, 2 or 4 bytes, aligned. */
  long read(final int offset, final int width) {
    if (!registers.isLive(offset, width)) {
      return readLocked(offset, width);
    }
    while (true) {
      final Attachment now = function.enter();
      if (now == null) {
        return -1;
      }
      final long value;
      try {
        value = readLocked(offset, width);
      } finally {
        now.leave();
      }
      if (!now.abandoned()) {
        return value;
      }
    }
  }

  /** A store of 1, 2 or 4 bytes, aligned. */
  void write(final int offset, final int width, final long value) {
    if (!registers.isLive(offset, width)) {
      writeLocked(offset, width, value);
      return;
    }
    Attachment now;
    do {
      now = function.enter();
      if (now == null) {
        return;
      }
      try {
        writeLocked(offset, width, value);
      } finally {
        now.leave();
      }
    } while (now.abandoned());
  }

  private long readLocked(final int offset, final int width) {
    lock.lock();
    try {
      if (isRemoved()) {
        return -1;
      }
      if ((offset & ~3) == ConfigSpaceDescriptor.COMMAND) {
        refreshStatus();
      }
      return registers.read(offset, width);
    } finally {
      lock.unlock();
    }
  }

  private void writeLocked(final int offset, final int width, final long value) {
    lock.lock();
    try {
      if (isRemoved()) {
        return;
      }
      final int command = registers.command();
      final int msixControl = registers.msixControl();
      registers.write(offset, width, value);
      changed.run(); // first, as what follows may hang
      if (registers.command() != command) {
        commandChanged(command, registers.command());
      } else if (isBar(offset) && updateBars()) {
        function.commandChanged(command);
      }
      if (msix != null && registers.msixControl() != msixControl) {
        msix.control(registers.msixControl());
        function.commandChanged(registers.command()); // MSI-X and INTx exclude each other
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether nothing is here any more; asks the next incarnation of the bus, if it went. */
  private boolean isRemoved() {
    if (suspended) {
      throw MmioRetry.INSTANCE;
    }
    return removed;
  }

  /** Has what is there kept. */
  void keep() {
    lock.lock();
    try {
      changed.run();
    } finally {
      lock.unlock();
    }
  }

  /** Goes on with what was kept of registers of an equal spec: puts all of it in force. */
  void resume(final byte[] kept) {
    lock.lock();
    try {
      registers.restore(kept);
      commandChanged(0, registers.command());
      if (msix != null) {
        msix.control(registers.msixControl());
      }
      line.resume();
    } finally {
      lock.unlock();
    }
  }

  /**
   * The bus goes, and the next one goes on: BARs are parked, the last state is kept. As {@link
   * #remove} for an access that hangs; what it wrote was kept before.
   *
   * @param parked how long accesses to BARs wait for the next bus
   */
  void suspend(final Duration patience, final Duration parked) {
    final boolean locked = tryLock(patience);
    if (!locked) {
      LOG.warn("{}: a configuration access hangs; the bus goes without it", label);
    }
    try {
      if (locked) {
        refreshStatus();
        changed.run();
      }
      bars.forEach(bar -> bar.park(parked));
      removed = true;
      suspended = true;
    } finally {
      if (locked) {
        lock.unlock();
      }
    }
  }

  /** Lets an equal spec's capabilities serve, or with null nobody's. Takes no lock. */
  void serve(final @Nullable PciFunctionSpec spec) {
    registers.serve(spec);
  }

  /** Tells who comes back of the command register; false when an access hangs in here. */
  boolean tell(final Attachment next, final Duration patience) {
    if (!tryLock(patience)) {
      return false;
    }
    try {
      function.commandChanged(next, registers.command());
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** The command register. Takes no lock: it is read for others. */
  int command() {
    return registers.command();
  }

  /** Says whether the device has several functions. */
  void multifunction(final boolean many) {
    lock.lock();
    try {
      registers.multifunction(many);
      changed.run();
    } finally {
      lock.unlock();
    }
  }

  /** Where a BAR is decoded now, or -1. Takes no lock: devices ask. */
  long barAddress(final int index) {
    for (final BarDecoder bar : bars) {
      if (bar.index() == index) {
        return bar.decodedAt();
      }
    }
    return -1;
  }

  /**
   * The function is gone: its BARs leave the map, and accesses read all ones. An access that hangs
   * in the device's code is waited for so long, then left behind; it changes nothing any more.
   */
  void remove(final Duration patience) {
    removed = true;
    final boolean locked = tryLock(patience);
    if (!locked) {
      LOG.warn("{}: a configuration access hangs; removing the function without it", label);
    }
    try {
      bars.forEach(BarDecoder::close);
    } finally {
      if (locked) {
        lock.unlock();
      }
    }
  }

  private void commandChanged(final int before, final int now) {
    final int changed = before ^ now;
    if ((changed & ConfigSpaceDescriptor.COMMAND_MEMORY) != 0) {
      updateBars();
    }
    if ((changed & ConfigSpaceDescriptor.COMMAND_BUS_MASTER) != 0) {
      range.busMaster((now & ConfigSpaceDescriptor.COMMAND_BUS_MASTER) != 0);
    }
    if ((changed & ConfigSpaceDescriptor.COMMAND_BUS_MASTER) != 0
        && !port.busMaster((now & ConfigSpaceDescriptor.COMMAND_BUS_MASTER) != 0)) {
      LOG.warn("{}: an access begun before bus mastering changed has not ended in time", label);
    }
    if ((changed & ConfigSpaceDescriptor.COMMAND_INTX_DISABLE) != 0) {
      line.disable((now & ConfigSpaceDescriptor.COMMAND_INTX_DISABLE) != 0);
    }
    function.commandChanged(now);
  }

  private boolean updateBars() {
    final boolean decode =
        !removed && (registers.command() & ConfigSpaceDescriptor.COMMAND_MEMORY) != 0;
    boolean changed = false;
    for (final BarDecoder bar : bars) {
      changed |= bar.update(registers, decode);
    }
    return changed;
  }

  /** Status bits that follow from what the device did, on its own threads, since the last look. */
  private void refreshStatus() {
    registers.status(ConfigSpaceDescriptor.STATUS_INTX, line.asserted());
    final long faults = port.port().counters().faulted();
    if (faults != faultsShown) {
      faultsShown = faults;
      registers.status(STATUS_MASTER_ABORT, true);
    }
  }

  private boolean tryLock(final Duration patience) {
    try {
      return lock.tryLock(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return lock.tryLock();
    }
  }

  private static boolean isBar(final int offset) {
    return offset >= ConfigSpaceDescriptor.BAR0
        && offset < ConfigSpaceDescriptor.bar(ConfigSpaceDescriptor.BARS);
  }
}
