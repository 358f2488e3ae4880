package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.memory.RestrictedSpace;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The strategies that are there, and which of them a device may have. Rules: with VIRTIO_F_SWIOTLB
 * accepted only the device's own region is legal; a region is needed for device extents; a
 * confidential guest's pages are out of a device's reach, so nothing there passes; a device that is
 * bound to a restricted pool bounces there and nowhere else; and what {@code swiotlb=} says.
 * Thread-safe.
 */
public final class Registry {
  private static final Comparator<StrategyRef> BEST_FIRST =
      Comparator.comparingInt(StrategyRef::ranking).reversed().thenComparingLong(StrategyRef::id);

  private final boolean confidential;
  private final Domains domains;
  private List<StrategyRef> refs = List.of();
  private volatile SwiotlbParameter parameter = SwiotlbParameter.NONE;

  /**
   * No strategies.
   *
   * @param confidential whether guest memory is
   * @param domains who knows which device may be in a domain
   */
  public Registry(final boolean confidential, final Domains domains) {
    this.confidential = confidential;
    this.domains = domains;
  }

  /** Changes what the kernel's parameter asks for. */
  public void parameter(final SwiotlbParameter next) {
    parameter = next;
  }

  /** Adds a service, or puts its new revision in the place of the old one. */
  public synchronized void add(final StrategyRef ref) {
    final List<StrategyRef> next = new ArrayList<>(refs);
    next.removeIf(r -> r.id() == ref.id());
    next.add(ref);
    next.sort(BEST_FIRST);
    refs = List.copyOf(next);
  }

  /** Removes a service; returns what was there. */
  public synchronized @Nullable StrategyRef remove(final long id) {
    StrategyRef removed = null;
    final List<StrategyRef> next = new ArrayList<>();
    for (final StrategyRef ref : refs) {
      if (ref.id() == id) {
        removed = ref;
      } else {
        next.add(ref);
      }
    }
    refs = List.copyOf(next);
    return removed;
  }

  /** The services, best first. */
  public synchronized List<StrategyRef> refs() {
    return refs;
  }

  /** The best service of a name, or null. */
  public @Nullable StrategyRef find(final String name) {
    for (final StrategyRef ref : refs()) {
      if (ref.name().equals(name)) {
        return ref;
      }
    }
    return null;
  }

  /**
   * What a device would get for a target.
   *
   * @throws IllegalArgumentException when there is no such strategy, or the device may not have it
   */
  public Choice choose(final DeviceDma device, final Target target) {
    final StrategyRef ref = find(target.strategy());
    if (ref == null) {
      throw new IllegalArgumentException(
          "unknown strategy '"
              + target.strategy()
              + "'; valid: "
              + String.join(", ", names(device)));
    }
    final Choice choice = legal(device, ref, target.extents());
    if (choice == null) {
      throw new IllegalArgumentException(
          "strategy "
              + target
              + " is not legal for "
              + device.name()
              + ": "
              + whyNot(device, ref, target.extents()));
    }
    return choice;
  }

  /**
   * The best that a device may have, or null: highest ranking first, its own region preferred, and
   * nothing that needs an IOMMU unless there is nothing else.
   */
  public @Nullable Choice best(final DeviceDma device) {
    return best(device, Set.of());
  }

  /** The same of all but those that a device does without. */
  @Nullable Choice best(final DeviceDma device, final Set<StrategyRef> without) {
    final Choice plain = best(device, without, false);
    return plain == null ? best(device, without, true) : plain;
  }

  private @Nullable Choice best(
      final DeviceDma device, final Set<StrategyRef> without, final boolean translated) {
    for (final StrategyRef ref : refs()) {
      if (without.contains(ref)
          || ref.strategy().extents().contains(ExtentKind.IOVA) != translated) {
        continue;
      }
      Choice choice = null;
      if (device.region() != null) {
        choice = legal(device, ref, ExtentKind.DEVICE);
      }
      if (choice == null) {
        choice = legal(device, ref, null);
      }
      if (choice != null) {
        return choice;
      }
    }
    return null;
  }

  /** The names that a device may use, the alias included. */
  public List<String> names(final DeviceDma device) {
    final TreeSet<String> names = new TreeSet<>();
    for (final StrategyRef ref : refs()) {
      if (legal(device, ref, null) != null) {
        names.add(ref.name());
      }
      if (ref.name().equals(Target.DEFAULT_SWIOTLB)
          && legal(device, ref, ExtentKind.DEVICE) != null) {
        names.add(Target.SWIOTLB_DEVICE);
      }
    }
    return List.copyOf(names);
  }

  private @Nullable Choice legal(
      final DeviceDma device, final StrategyRef ref, final @Nullable ExtentKind wanted) {
    final RestrictedSpace bound = device.restricted();
    if (ref.strategy().extents().isEmpty()) {
      return why(device, bound, ref, wanted) == null ? Choice.of(ref, null) : null;
    }
    for (final ExtentKind kind : ref.strategy().extents()) {
      if ((wanted == null || wanted == kind) && why(device, bound, ref, kind) == null) {
        return kind != ExtentKind.RAM
            ? Choice.of(ref, kind)
            : bound != null
                ? Choice.restricted(ref, bound)
                : Choice.ram(ref, parameter.slots(), parameter.areas());
      }
    }
    return null;
  }

  /** Why a device may not have a strategy, on each kind of memory if none is wanted. */
  private String whyNot(
      final DeviceDma device, final StrategyRef ref, final @Nullable ExtentKind wanted) {
    final RestrictedSpace bound = device.restricted();
    final Set<ExtentKind> kinds = ref.strategy().extents();
    if (wanted != null || kinds.size() < 2) {
      final ExtentKind kind = wanted != null || kinds.isEmpty() ? wanted : kinds.iterator().next();
      return String.valueOf(why(device, bound, ref, kind));
    }
    final StringJoiner reasons = new StringJoiner("; ");
    for (final ExtentKind kind : kinds) {
      reasons.add("on " + kind + ": " + why(device, bound, ref, kind));
    }
    return reasons.toString();
  }

  /** Why a device may not have a strategy on a kind of memory, or null. */
  private @Nullable String why(
      final DeviceDma device,
      final @Nullable RestrictedSpace bound,
      final StrategyRef ref,
      final @Nullable ExtentKind kind) {
    final String own = ref.strategy().refusal(device.negotiation());
    if (own != null) {
      return own;
    }
    final String domain =
        kind == ExtentKind.IOVA ? domains.refusal(device) : domains.refusalToLeave(device);
    if (domain != null) {
      return domain;
    }
    if (ref.strategy().extents().isEmpty()) {
      return whyNotInPlace(device, bound, ref, kind);
    }
    if (kind != null && !ref.strategy().extents().contains(kind)) {
      return ref.name() + " cannot work on " + kind + " extents";
    }
    if (kind != ExtentKind.DEVICE && device.negotiation().swiotlb()) {
      final RestrictedSpace named = device.namedRestricted();
      return "the device accepted VIRTIO_F_SWIOTLB, so only device extents are legal"
          + (named == null ? "" : ", not those of the restricted pool " + named.name());
    }
    if (kind == ExtentKind.DEVICE && device.region() == null) {
      return "the device has no region of its own (SWIOTLB policy none)";
    }
    if (kind == ExtentKind.DEVICE && bound != null) {
      return bindingOf(bound) + ", so only ram extents, those of the pool, are legal";
    }
    if (kind == ExtentKind.RAM && bound == null && parameter.noforce()) {
      return "swiotlb=noforce of io.carom.dma.core leaves no bounce pool in RAM";
    }
    return null;
  }

  /** Why a device may not have a strategy that does not bounce, or null. */
  private @Nullable String whyNotInPlace(
      final DeviceDma device,
      final @Nullable RestrictedSpace bound,
      final StrategyRef ref,
      final @Nullable ExtentKind kind) {
    if (kind != null) {
      return ref.name() + " does not bounce, so it has no extents";
    }
    if (device.negotiation().swiotlb()) {
      return "the device accepted VIRTIO_F_SWIOTLB, so every address must lie in its region";
    }
    if (bound != null) {
      return bindingOf(bound) + ", so every map bounces";
    }
    if (parameter.force()) {
      return "swiotlb=force of io.carom.dma.core makes every device bounce";
    }
    return confidential
        ? "guest memory is confidential (io.carom.machine confidential=true), so devices reach"
            + " only what is bounced"
        : null;
  }

  private static String bindingOf(final RestrictedSpace bound) {
    return "restrictedPools of io.carom.dma.core binds the device to the pool " + bound.name();
  }
}
