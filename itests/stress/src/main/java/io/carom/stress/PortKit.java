package io.carom.stress;

import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/** A port of the machine whose own range lies in the first of two memories. */
final class PortKit {
  /** Longer than any section here lasts. */
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int STORES = 24;
  private static final long[] COLD = new long[1 << 22];
  private static final int COLD_STEP = 8 * 4099; // far from the last, and a line of its own
  private static final VarHandle FIRST = MethodHandles.arrayElementVarHandle(long[].class);
  private static final long REGION = 0x80_0000_0000L;
  private static final Ram RAM = new Ram(1 << 20, 1 << 20);
  private static final BusTarget TARGET =
      new BusTarget(RAM, new PageStates(RAM.size(), false), new AddressSpaceMap(RAM), 0);
  private static final InterruptRouter INTERRUPTS = new InterruptRouter();

  /** The routes. */
  final PortControl control = new Ports(TARGET, INTERRUPTS, PATIENCE).create("stressed");

  private final long[] first = new long[1];
  private final long[] second = new long[1];
  private final BusSession session;
  private int cold;

  PortKit() {
    control.ownRegion(REGION, MemorySegment.ofArray(first));
    session = control.port().open();
  }

  /** The device writes 1 to its own range in a section; false when it is refused. */
  boolean deviceWrites() {
    return deviceWrites(1);
  }

  /** The device writes a value to its own range in a section; false when it is refused. */
  boolean deviceWrites(final long value) {
    if (session.begin() < 0) {
      return false;
    }
    try {
      session
          .resolve(REGION, Long.BYTES, BusAccess.WRITE)
          .set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
    } catch (final BusFaultException e) {
      if (e.reason() == BusFaultException.Reason.REVOKED) {
        return false; // between begin and resolve: nothing was touched
      }
      throw new IllegalStateException(e);
    } finally {
      session.end();
    }
    return true;
  }

  /** The bus moves the range to the second memory; whether all old sections ended. */
  boolean moveRange() {
    return control.ownRegion(REGION, MemorySegment.ofArray(second));
  }

  /** What the device wrote into the first memory. */
  int first() {
    return (int) first[0];
  }

  /**
   * The device writes to memory that is in no cache: what it stores next stays in the store buffer
   * behind that, unless it waits for it. A load that must not pass such a store then does, if
   * nothing holds it back.
   */
  void clutter() {
    for (int i = 0; i < STORES; i++) {
      cold = (cold + COLD_STEP) & (COLD.length - 1);
      COLD[cold] = i;
    }
  }

  /** Waits until the device has written into the first memory. */
  void awaitFirst() {
    while ((long) FIRST.getOpaque(first, 0) == 0) {
      Thread.onSpinWait();
    }
  }

  /** What the device wrote into the second memory. */
  int second() {
    return (int) second[0];
  }
}
