package io.carom.guest.shim.irq;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.InterruptSink;
import io.carom.pci.PciAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The guest's interrupt entry and its vectors. A message carries its vector's number as data.
 * Whatever arrives, from whatever device, is either a known vector or counted as spurious.
 *
 * <p>Thread-safe: vectors come and go under this object's lock, delivery takes none.
 */
public final class IrqController implements InterruptSink {
  /** Address that messages are sent to. */
  public static final long MESSAGE_ADDRESS = PhysicalLayout.MSI_BASE;

  /** First vector handed out: the lower ones are the processor's exceptions on a PC. */
  public static final int FIRST_VECTOR = 32;

  /** Number of vectors, those of the processor included. */
  public static final int VECTORS = 4096;

  private final AtomicReferenceArray<@Nullable IrqLine> lines = new AtomicReferenceArray<>(VECTORS);
  private final Map<PciAddress, Runnable> pins = new ConcurrentHashMap<>();
  private final LongAdder spurious = new LongAdder();

  /** A controller without vectors. */
  public IrqController() {}

  /**
   * Takes the lowest free vector.
   *
   * @param wake runs on device threads: must only latch and unpark
   * @throws IllegalStateException when all vectors are taken
   */
  public synchronized IrqLine allocate(final String name, final Runnable wake) {
    for (int vector = FIRST_VECTOR; vector < VECTORS; vector++) {
      if (lines.get(vector) == null) {
        final IrqLine line = new IrqLine(this, vector, name, wake);
        lines.set(vector, line);
        return line;
      }
    }
    throw new IllegalStateException("all " + VECTORS + " interrupt vectors are taken");
  }

  /** Handles the INTx line of a function without MSI-X; null ends that. */
  public void pin(final PciAddress source, final @Nullable Runnable wake) {
    if (wake == null) {
      pins.remove(source);
    } else {
      pins.put(source, wake);
    }
  }

  /** Interrupts that belong to nobody. */
  public long spurious() {
    return spurious.sum();
  }

  @Override
  public void message(final long address, final int data) {
    final IrqLine line =
        PhysicalLayout.isMessage(address) && data >= 0 && data < VECTORS ? lines.get(data) : null;
    if (line == null) {
      spurious.increment();
    } else {
      line.fire();
    }
  }

  @Override
  public void line(final PciAddress source, final int pin, final boolean asserted) {
    if (!asserted) {
      return;
    }
    final Runnable wake = pins.get(source);
    if (wake == null) {
      spurious.increment();
    } else {
      wake.run();
    }
  }

  synchronized void free(final IrqLine line) {
    if (lines.get(line.vector()) == line) {
      lines.set(line.vector(), null);
    }
  }
}
