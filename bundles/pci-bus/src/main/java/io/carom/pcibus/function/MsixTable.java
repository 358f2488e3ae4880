package io.carom.pcibus.function;

import io.carom.pci.BusPort;
import io.carom.pci.MsixDescriptor;
import io.carom.pci.MsixSpec;
import io.carom.pci.SlotSignals;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * MSI-X table and pending bits of one function (PCI 3.0 section 6.8.2).
 *
 * <p>No lock: device threads raise, guest threads mask and unmask. Whoever raises a masked vector
 * sets its pending bit and then looks at the mask again; whoever unmasks stores the mask and then
 * looks at the pending bit. All four are volatile, so at least one of the two sees what the other
 * did, and the message is sent by the one that takes the pending bit back: never lost, never twice.
 *
 * <p>While the function is away the table is <i>held</i>: a bit beside the control register's that
 * masks every vector invisibly. What was not masked when it was raised, and then refused by the
 * revoked port, becomes pending by whoever raised it, who looks at the bit afterwards.
 *
 * <p>A guest that changes address or data of an unmasked vector may get a message made of old and
 * new words; the specification allows that.
 */
final class MsixTable {
  private static final int WORDS = MsixDescriptor.ENTRY_SIZE / 4;
  private static final int MASKED = 1;
  private static final int HELD = 1 << 16; // behind the 16 bits of message control

  private final BusPort port;
  private final MsixSpec spec;
  private final AtomicIntegerArray table;
  private final AtomicLongArray pending;
  private volatile int control;

  /** A table that goes on with these words. */
  MsixTable(final MsixSpec spec, final BusPort port, final SlotSignals signals) {
    this.spec = spec;
    this.port = port;
    table = signals.table();
    pending = signals.pending();
  }

  /** Words as after reset: every vector masked. */
  static SlotSignals afterReset(final int vectors) {
    final SlotSignals signals = SlotSignals.of(vectors);
    for (int vector = 0; vector < vectors; vector++) {
      signals.table().set(word(vector, MsixDescriptor.ENTRY_CONTROL), MASKED);
    }
    return signals;
  }

  int vectors() {
    return spec.vectors();
  }

  boolean enabled() {
    return (control & MsixDescriptor.CONTROL_ENABLE) != 0;
  }

  /** Raises a vector; ignored out of range, or while MSI-X is off. */
  void raise(final int vector) {
    if (vector < 0 || vector >= spec.vectors() || !enabled()) {
      return;
    }
    if (!masked(vector)) {
      send(vector);
    } else {
      pend(vector);
    }
  }

  private void pend(final int vector) {
    pending.getAndAccumulate(vector >>> 6, 1L << vector, (a, b) -> a | b);
    if (!masked(vector)) {
      sendPending(vector);
    }
  }

  /** Keeps every vector back, or lets them go and sends what is pending. */
  void hold(final boolean on) {
    synchronized (this) {
      control = on ? control | HELD : control & ~HELD;
    }
    if (!on) {
      sendUnmasked();
    }
  }

  /** Forgets what is pending. */
  void forgetPending() {
    for (int i = 0; i < pending.length(); i++) {
      pending.set(i, 0);
    }
  }

  /** The guest wrote message control: what became unmasked by it and is pending is sent. */
  void control(final int value) {
    synchronized (this) {
      control = value | (control & HELD);
    }
    sendUnmasked();
  }

  private void sendUnmasked() {
    for (int vector = 0; vector < spec.vectors(); vector++) {
      if (!masked(vector)) {
        sendPending(vector);
      }
    }
  }

  /** Whether an offset within the structure's BAR is in the table. */
  boolean inTable(final long offset) {
    return offset >= spec.tableOffset()
        && offset - spec.tableOffset() < (long) spec.vectors() * MsixDescriptor.ENTRY_SIZE;
  }

  /** Whether an offset within the structure's BAR is in the pending bits. */
  boolean inPending(final long offset) {
    return offset >= spec.pbaOffset()
        && offset - spec.pbaOffset() < MsixDescriptor.pbaSize(spec.vectors());
  }

  /** A load of 1, 2, 4 or 8 bytes, aligned, from table or pending bits. */
  long read(final long offset, final int width) {
    final long dword = offset & ~3L;
    if (width == 8) {
      return readWord(dword) | readWord(dword + 4) << 32;
    }
    final int shift = 8 * (int) (offset & 3);
    return (readWord(dword) >>> shift) & (-1L >>> (64 - 8 * width));
  }

  /** A store of 1, 2, 4 or 8 bytes, aligned; pending bits are read-only. */
  void write(final long offset, final int width, final long value) {
    if (!inTable(offset)) {
      return;
    }
    final int at = (int) (offset - spec.tableOffset());
    if (width == 8) {
      store(at / 4, -1, (int) value);
      store(at / 4 + 1, -1, (int) (value >>> 32));
    } else {
      final int shift = 8 * (at & 3);
      final int mask = (int) (-1L >>> (64 - 8 * width)) << shift;
      store(at / 4, mask, (int) value << shift);
    }
  }

  private long readWord(final long offset) {
    if (inTable(offset)) {
      final int at = (int) (offset - spec.tableOffset());
      return Integer.toUnsignedLong(table.get(at / 4));
    }
    final int at = (int) (offset - spec.pbaOffset());
    return (pending.get(at / 8) >>> (8 * (at & 4))) & 0xffff_ffffL;
  }

  private void store(final int word, final int mask, final int value) {
    final int writable =
        switch (word % WORDS * 4) {
          case MsixDescriptor.ENTRY_ADDRESS_LOW -> mask & ~3; // a message is a whole dword
          case MsixDescriptor.ENTRY_CONTROL -> mask & MASKED;
          default -> mask;
        };
    table.getAndUpdate(word, old -> (old & ~writable) | (value & writable));
    final int vector = word / WORDS;
    if (word % WORDS * 4 == MsixDescriptor.ENTRY_CONTROL && !masked(vector)) {
      sendPending(vector);
    }
  }

  private boolean masked(final int vector) {
    return (control & (HELD | MsixDescriptor.CONTROL_ENABLE | MsixDescriptor.CONTROL_FUNCTION_MASK))
            != MsixDescriptor.CONTROL_ENABLE
        || (table.get(word(vector, MsixDescriptor.ENTRY_CONTROL)) & MASKED) != 0;
  }

  private void sendPending(final int vector) {
    final long bit = 1L << vector;
    if ((pending.get(vector >>> 6) & bit) != 0
        && (pending.getAndAccumulate(vector >>> 6, ~bit, (a, b) -> a & b) & bit) != 0) {
      send(vector);
    }
  }

  private void send(final int vector) {
    final long low =
        Integer.toUnsignedLong(table.get(word(vector, MsixDescriptor.ENTRY_ADDRESS_LOW)));
    final long high = table.get(word(vector, MsixDescriptor.ENTRY_ADDRESS_HIGH));
    // A message that bus mastering or its address forbids is counted by the port, and lost.
    final boolean sent =
        port.message(high << 32 | low, table.get(word(vector, MsixDescriptor.ENTRY_DATA)));
    if (!sent && (control & HELD) != 0) { // refused, as the function went away in between
      pend(vector);
    }
  }

  private static int word(final int vector, final int field) {
    return vector * WORDS + field / 4;
  }
}
