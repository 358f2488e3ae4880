package io.carom.machine.iommu;

import io.carom.iommu.IommuRecord;
import io.carom.iommu.IommuRecords;
import io.carom.iommu.IommuState;
import io.carom.iommu.IommuState.Change;
import io.carom.iommu.IommuState.DomainState;
import io.carom.iommu.IommuState.EndpointState;
import io.carom.iommu.IommuState.MappingState;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The machine's record of the IOMMU.
 *
 * <p><b>Protocol.</b> The monitor guards everything, and is held for one change or one copy, never
 * while anything is called or waited for. A change first looks whether its incarnation still holds
 * the record. A claim is a change of the holder and a copy in one hold of the monitor: so each
 * change of the incarnation before either is in the copy or is refused, and no copy shows half of
 * one.
 */
public final class IommuStore implements IommuRecords {
  private final NavigableMap<String, Integer> endpoints = new TreeMap<>();
  private final NavigableMap<Integer, Domain> domains = new TreeMap<>();
  private @Nullable Handle holder;
  private int version; // 0 while nothing is kept
  private boolean configured;
  private boolean bypass;
  private @Nullable Change last;

  private record Domain(boolean passes, NavigableMap<Long, MappingState> mappings) {}

  @Override
  public synchronized IommuRecord claim() {
    final Handle next = new Handle(version == 0 ? null : state());
    holder = next;
    return next;
  }

  private IommuState state() {
    final List<EndpointState> ports = new ArrayList<>();
    endpoints.forEach((port, domain) -> ports.add(new EndpointState(port, domain)));
    final List<DomainState> spaces = new ArrayList<>();
    domains.forEach(
        (number, domain) ->
            spaces.add(
                new DomainState(number, domain.passes, List.copyOf(domain.mappings.values()))));
    return new IommuState(version, configured, bypass, ports, spaces);
  }

  /** Whether a function is not translated but blocked, as far as it is known. */
  public synchronized boolean blocked(final String port) {
    return version != 0 && endpoints.getOrDefault(port, IommuState.NO_DOMAIN) < 0;
  }

  private void attach(final String port, final int number, final boolean passes) {
    domains.computeIfAbsent(number, n -> new Domain(passes, new TreeMap<>()));
    leave(endpoints.put(port, number));
  }

  private void detach(final String port, final boolean held) {
    final Integer before = endpoints.get(port);
    if (held) {
      endpoints.put(port, IommuState.NO_DOMAIN);
    } else {
      endpoints.remove(port);
    }
    leave(before);
    last = before == null || before < 0 ? null : new Change(before, null, port);
  }

  /** An endpoint has left a domain, which ends with its last one. */
  private void leave(final @Nullable Integer number) {
    if (number != null && number >= 0 && !endpoints.containsValue(number)) {
      domains.remove(number);
    }
  }

  private void map(final int number, final MappingState mapping) {
    final Domain domain = domains.get(number);
    if (domain == null) {
      throw new IllegalStateException("no endpoint is attached to domain " + number);
    }
    domain.mappings.put(mapping.start(), mapping);
    last = new Change(number, mapping, null);
  }

  private void unmap(final int number, final long start, final long end) {
    final Domain domain = domains.get(number);
    if (domain != null) {
      domain.mappings.subMap(start, true, end, true).values().removeIf(m -> m.last() <= end);
    }
  }

  private void begin(final int meaning, final boolean passes) {
    endpoints.clear();
    domains.clear();
    version = meaning;
    configured = passes;
    bypass = passes;
  }

  private synchronized <T> T look(final Supplier<T> at) {
    return at.get();
  }

  /** What one incarnation holds. */
  private final class Handle implements IommuRecord {
    private final @Nullable IommuState kept;

    Handle(final @Nullable IommuState kept) {
      this.kept = kept;
    }

    /** Makes a change, if it may. */
    private boolean change(final Runnable step) {
      synchronized (IommuStore.this) {
        if (holder != this) {
          return false;
        }
        last = null;
        step.run();
        return true;
      }
    }

    @Override
    public @Nullable IommuState kept() {
      return kept;
    }

    @Override
    public boolean begin(final int meaning, final boolean passes) {
      checkVersion(meaning);
      return change(() -> IommuStore.this.begin(meaning, passes));
    }

    @Override
    public boolean goOn(final int meaning, final boolean passes) {
      checkVersion(meaning);
      synchronized (IommuStore.this) { // the last change stays what it was
        if (holder != this) {
          return false;
        }
        version = meaning;
        configured = passes;
        return true;
      }
    }

    private static void checkVersion(final int meaning) {
      if (meaning < 1) {
        throw new IllegalArgumentException("version " + meaning + " is below 1");
      }
    }

    @Override
    public boolean bypass(final boolean on) {
      return change(() -> bypass = on);
    }

    @Override
    public boolean attached(final String port, final int domain, final boolean passes) {
      if (domain < 0) {
        throw new IllegalArgumentException("domain " + domain + " is below 0");
      }
      return change(() -> attach(port, domain, passes));
    }

    @Override
    public boolean detached(final String port, final boolean held) {
      return change(() -> detach(port, held));
    }

    @Override
    public boolean mapped(
        final int domain, final long start, final long end, final long physical, final int flags) {
      if (start < 0 || end < start) {
        throw new IllegalArgumentException(
            "no range from 0x" + Long.toHexString(start) + " to 0x" + Long.toHexString(end));
      }
      final MappingState mapping = new MappingState(start, end, physical, flags);
      return change(() -> map(domain, mapping));
    }

    @Override
    public boolean unmapped(final int domain, final long start, final long end) {
      return change(() -> unmap(domain, start, end));
    }

    @Override
    public @Nullable Change last() {
      synchronized (IommuStore.this) {
        return holder == this ? last : null;
      }
    }

    @Override
    public void settled() {
      change(() -> {});
    }

    @Override
    public boolean isVoid() {
      return look(() -> holder != this);
    }
  }
}
