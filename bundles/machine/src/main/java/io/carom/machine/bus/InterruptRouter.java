package io.carom.machine.bus;

import io.carom.pci.InterruptSink;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers interrupts to the guest's sink.
 *
 * <p>With a sink a message is one volatile read and the call. Without one it is kept under the
 * monitor, where the sink is looked at once more: either the message is kept before the sink is set
 * and handed over by whoever sets it, or it sees the new sink. Lines are levels, so their state is
 * kept always and under the monitor, which also keeps the changes of one line in order.
 */
public final class InterruptRouter implements MsiController {
  /** A guest can have as many data values as it likes; the memory for them is bounded. */
  private static final int MAX_PENDING = 4096;

  private static final Logger LOG = LoggerFactory.getLogger(InterruptRouter.class);

  private record Line(PciAddress source, int pin) {}

  private final Map<Integer, Long> pending = new LinkedHashMap<>();
  private final Set<Line> asserted = new HashSet<>();
  private volatile @Nullable InterruptSink sink;
  private boolean overflowLogged;

  @Override
  public void message(final long address, final int data) {
    final InterruptSink now = sink;
    if (now != null) {
      now.message(address, data);
    } else {
      keepOrSend(address, data);
    }
  }

  @Override
  public synchronized void line(final PciAddress source, final int pin, final boolean level) {
    final Line line = new Line(source, pin);
    final boolean changed = level ? asserted.add(line) : asserted.remove(line);
    final InterruptSink now = sink;
    if (changed && now != null) {
      now.line(source, pin, level);
    }
  }

  @Override
  public synchronized void sink(final @Nullable InterruptSink newSink) {
    sink = newSink;
    if (newSink != null) {
      pending.forEach((data, address) -> newSink.message(address, data));
      pending.clear();
      asserted.forEach(line -> newSink.line(line.source(), line.pin(), true));
    }
  }

  private synchronized void keepOrSend(final long address, final int data) {
    final InterruptSink now = sink;
    if (now != null) {
      now.message(address, data);
    } else if (pending.size() < MAX_PENDING || pending.containsKey(data)) {
      pending.put(data, address);
    } else if (!overflowLogged) {
      overflowLogged = true;
      LOG.warn("no guest takes interrupts and {} are pending: further ones are lost", MAX_PENDING);
    }
  }
}
