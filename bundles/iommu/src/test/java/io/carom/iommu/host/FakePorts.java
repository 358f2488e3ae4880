package io.carom.iommu.host;

import io.carom.pci.BusIommu;
import io.carom.pci.BusPorts;
import io.carom.pci.PortControl;
import io.carom.pci.PortWatch;
import io.carom.pci.Translation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Ports that keep their translation, and what was asked of them in order. */
final class FakePorts implements BusPorts {
  private static final Translation BLOCKED = (address, length, access) -> Translation.FAULT;

  final List<String> calls = new ArrayList<>();
  final Set<String> late = new HashSet<>();
  private final Map<String, @Nullable Translation> open = new HashMap<>();
  private @Nullable BusIommu iommu;

  /** Opens a port. */
  synchronized void open(final String name) {
    open.putIfAbsent(name, iommu == null ? null : iommu.translation(name));
  }

  /** Closes a port. */
  synchronized void close(final String name) {
    open.remove(name);
  }

  /** The translation of a port; null when it passes. */
  synchronized @Nullable Translation of(final String name) {
    assert open.containsKey(name) : name + " is not open";
    return open.get(name);
  }

  @Override
  public PortControl create(final String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public synchronized boolean iommu(final @Nullable BusIommu next) {
    iommu = next;
    open.replaceAll((name, old) -> next == null ? null : next.translation(name));
    return true;
  }

  /** Blocks all that it translated: who waits in a test waits for ever. */
  @Override
  public synchronized boolean away(final BusIommu who) {
    if (who == iommu) {
      iommu = null;
      open.replaceAll((name, old) -> old == null ? null : BLOCKED);
    }
    return true;
  }

  @Override
  public synchronized boolean translation(
      final BusIommu who, final String name, final @Nullable Translation translation) {
    if (who != iommu) {
      return true;
    }
    if (!open.containsKey(name)) {
      return false;
    }
    calls.add((translation == null ? "pass " : "translate ") + name);
    open.put(name, translation);
    return !late.contains(name);
  }

  @Override
  public synchronized boolean invalidated(final String name) {
    if (!open.containsKey(name)) {
      return false;
    }
    calls.add("invalidated " + name);
    return !late.contains(name);
  }

  @Override
  public boolean watch(final String name, final @Nullable PortWatch watch) {
    throw new UnsupportedOperationException();
  }
}
