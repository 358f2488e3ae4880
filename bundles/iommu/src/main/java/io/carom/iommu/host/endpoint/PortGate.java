package io.carom.iommu.host.endpoint;

import io.carom.pci.BusIommu;
import io.carom.pci.BusPorts;
import io.carom.pci.Translation;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ports behind the IOMMU: changes their translations and waits for what goes on under old ones.
 * A port that is not open has nothing going on. Thread-safe.
 */
public final class PortGate {
  private static final Logger LOG = LoggerFactory.getLogger(PortGate.class);

  private final BusPorts ports;
  private final Supplier<List<String>> functions;
  private final AtomicLong late = new AtomicLong();

  /**
   * A gate.
   *
   * @param functions the names of the bus's functions now, which are those of their ports
   */
  public PortGate(final BusPorts ports, final Supplier<List<String>> functions) {
    this.ports = ports;
    this.functions = functions;
  }

  /** The names of the bus's functions. */
  public List<String> functions() {
    return functions.get();
  }

  /**
   * Changes a port's translation; of no effect when the IOMMU is not the machine's any more.
   *
   * @param translation null lets the function through
   * @return false when an access under the old one has not ended in time
   */
  public boolean translation(
      final BusIommu iommu, final String port, final @Nullable Translation translation) {
    return ended(port, ports.translation(iommu, port, translation));
  }

  /**
   * Says that a port's translation answers otherwise now.
   *
   * @return false when an access under the old answers has not ended in time
   */
  public boolean invalidated(final String port) {
    return ended(port, ports.invalidated(port));
  }

  /** The ports say no for a port that is not open, too. */
  private boolean ended(final String port, final boolean done) {
    if (done || !functions.get().contains(port)) {
      return true;
    }
    late.incrementAndGet();
    LOG.warn("an access of {} outlived a change of its translation (quiesceTimeoutMs)", port);
    return false;
  }

  /** Accesses that outlived the machine's deadline. */
  public long late() {
    return late.get();
  }
}
