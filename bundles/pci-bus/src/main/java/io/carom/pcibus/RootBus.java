package io.carom.pcibus;

import io.carom.memory.AddressMap;
import io.carom.memory.AddressMap.Mapping;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import io.carom.pci.PciBus;
import io.carom.pci.PciFunction;
import io.carom.pcibus.SlotClaims.Claim;
import io.carom.pcibus.SlotClaims.Leaving;
import io.carom.pcibus.function.PluggedFunction;
import io.carom.pcibus.function.PluggedFunction.Return;
import io.carom.pcibus.function.SharedRanges;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bus 0: its slots, and the host bridge's two windows.
 *
 * <p>A slot goes: claimed → made → told that it is plugged → visible to the guest; and back:
 * invisible → taken out → claim released. In between its model may go <b>away</b> and come back,
 * which the guest does not see but by the time that it takes: a model with the property {@link
 * PciFunction#KEEP} that has not said that it is leaving is detached when its service goes, the slot
 * stays claimed and visible, and the next service of that name is attached in its place. When there
 * is none in time, or it is another function by its spec, the old one is a surprise removal, and is
 * forgotten by the machine; the new one is plugged in as any other.
 *
 * <p>Guest accesses read the visible function from an atomic array and take no lock of the bus.
 * Taking out is begun by exactly one of those who may want it (the guest's EJECT, the end of the
 * service or of its absence, the end of the bus); the others wait for it, bounded. Who attaches and
 * who ends an absence are told apart by {@link SlotClaims}: one of them finds it over. How a model
 * goes and comes, and how that meets a removal, is told at {@link PluggedFunction}.
 */
final class RootBus implements PciBus {
  /** Longer than every wait within a removal together. */
  private static final Duration REMOVAL_TIMEOUT = Duration.ofSeconds(10);

  /** What removals take besides the waits that they are allowed. */
  private static final int SLACK_MS = 900;

  private static final Logger LOG = LoggerFactory.getLogger(RootBus.class);
  private static final int DEVFN_SHIFT = 3;
  private static final int FUNCTIONS = 1 << DEVFN_SHIFT;

  private final AddressMap map;
  private final BusPorts ports;
  private final MsiController interrupts;
  private final SlotClaims claims = new SlotClaims();
  private final AtomicReferenceArray<@Nullable PluggedFunction> slots =
      new AtomicReferenceArray<>(SlotClaims.SLOTS << DEVFN_SHIFT); // by device and function
  private final SharedRanges shared = new SharedRanges();
  private final AbsenceTimer timer = new AbsenceTimer();
  private final Consumer<String> forget;
  private final HotplugRegisters hotplug;
  private final List<Mapping> windows = new ArrayList<>();
  private volatile BusSettings settings;
  private volatile boolean closed;

  /**
   * A bus with nothing but the host bridge.
   *
   * @param forget told the name of each function that is gone for good
   */
  RootBus(
      final AddressMap map,
      final BusPorts ports,
      final MsiController interrupts,
      final BusSettings settings,
      final Consumer<String> forget) {
    this.map = map;
    this.ports = ports;
    this.interrupts = interrupts;
    this.settings = settings;
    this.forget = forget;
    this.hotplug = new HotplugRegisters(interrupts, this::ejected);
    final PluggedFunction bridge =
        made(new PciAddress(0, 0, 0), "host bridge", new BridgeFunction());
    slots.set(0, bridge);
    try {
      windows.add(
          map.registers(
              "PCI config space",
              PhysicalLayout.ECAM_BASE,
              PhysicalLayout.ECAM_SIZE,
              new EcamWindow(this::at)));
      windows.add(
          map.registers(
              "PCI hotplug", PhysicalLayout.HOTPLUG_BASE, PhysicalLayout.HOTPLUG_SIZE, hotplug));
    } catch (final IllegalArgumentException e) {
      close(); // nothing half made stays in the map
      throw e;
    }
  }

  /** Other times from now on; absences that have begun keep theirs. */
  void settings(final BusSettings changed) {
    settings = changed;
  }

  BusSettings settings() {
    return settings;
  }

  private PluggedFunction made(
      final PciAddress address, final String name, final PciFunction model) {
    return new PluggedFunction(
        address, name, model, map, ports, interrupts, shared, () -> settings.detach());
  }

  /**
   * Plugs a function in. What is wrong with it is one line in the log.
   *
   * @param name its service property {@link PciFunction#NAME}
   * @param wanted its service property {@link PciFunction#SLOT}, or null
   * @param keep its service property {@link PciFunction#KEEP}, or null
   */
  void plug(
      final PciFunction model,
      final @Nullable Object name,
      final @Nullable Object wanted,
      final @Nullable Object keep) {
    final boolean kept = keep != null && Boolean.parseBoolean(keep.toString());
    final Leaving away = claims.takeUp(model, name, kept, settings.detach().multipliedBy(2));
    if (away == null || !attached(away, model, wanted)) {
      plugNew(model, name, wanted, kept);
    }
  }

  private void plugNew(
      final PciFunction model,
      final @Nullable Object name,
      final @Nullable Object wanted,
      final boolean keep) {
    final Claim claim;
    try {
      claim = claims.claim(model, name, wanted, keep);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}", e.getMessage());
      return;
    }
    final PluggedFunction function;
    try {
      function = made(claim.address(), claim.name(), model);
    } catch (final RuntimeException | LinkageError e) { // the model's code is called in there
      claims.release(claim.address());
      LOG.error("{} is not plugged into {}: {}", claim.name(), claim.address(), reason(e));
      return;
    }
    if (function.sharesRange()) {
      shared.add(function, this::decodedAt);
    }
    if (!function.announce()) {
      takeOut(function);
      return;
    }
    slots.set(claim.address().devfn(), function);
    countFunctions(claim.address().device());
    hotplug.up(claim.address().device());
    LOG.info("{} plugged", function.label());
    settled(new Leaving(claim, function, keep));
  }

  /** A model came for a function that is away; false when it is to be plugged in as a new one. */
  private boolean attached(
      final Leaving away, final PciFunction model, final @Nullable Object wanted) {
    final PluggedFunction function = away.function();
    final Return outcome =
        fits(function, wanted) ? function.comeBack(model) : Return.OTHER;
    switch (outcome) {
      case BACK -> {
        LOG.info("{} is back", function.label());
        settled(away);
      }
      case GONE -> function.awaitRemoved(settings.detach().multipliedBy(2));
      case OTHER, FAILED -> removedBySurprise(function);
    }
    return outcome == Return.BACK || outcome == Return.FAILED || claims.isWithdrawn(away.claim());
  }

  private static boolean fits(final PluggedFunction function, final @Nullable Object wanted) {
    final boolean same;
    try {
      same = wanted == null || PciAddress.parse(wanted.toString()).equals(function.address());
    } catch (final IllegalArgumentException e) {
      return true; // what is no address is refused where new functions are, and changes nothing
    }
    if (!same) {
      LOG.warn("{} comes back for another slot, {}", function.label(), wanted);
    }
    return same;
  }

  /** A model was plugged in, and may have gone meanwhile, or the bus. */
  private void settled(final Leaving plugged) {
    final boolean stays = claims.plugged(plugged.claim(), plugged.function());
    if (closed) {
      takeOut(plugged.function());
    } else if (!stays) {
      goes(plugged);
    }
  }

  /** The service of a function is going: its slot is kept or it is a surprise removal. */
  void unplug(final PciFunction model) {
    final Leaving leaving = claims.leave(model);
    if (leaving != null) {
      goes(leaving);
    }
  }

  private void goes(final Leaving leaving) {
    final PluggedFunction function = leaving.function();
    if (!leaving.keep() || closed || function.isLeaving()) {
      removedBySurprise(function);
      return;
    }
    final Duration absent = settings.absent();
    final long since = System.nanoTime();
    if (!function.detach(absent)) {
      function.awaitRemoved(REMOVAL_TIMEOUT);
      return;
    }
    final int absence = claims.away(leaving.claim());
    if (absence > 0) {
      LOG.info("{} is away; its slot is kept for {} ms", function.label(), absent.toMillis());
      timer.after(
          absent.minusNanos(System.nanoTime() - since),
          () -> {
            final PluggedFunction late = claims.expire(leaving.claim(), absence);
            if (late != null) {
              LOG.warn("{} has not come back within {} ms", late.label(), absent.toMillis());
              removedBySurprise(late);
            }
          });
    }
  }

  private void removedBySurprise(final PluggedFunction function) {
    if (takeOut(function)) {
      LOG.info("{} removed by surprise", function.label());
    }
  }

  @Override
  public List<Plugged> functions() {
    final List<Plugged> list = new ArrayList<>();
    for (int devfn = FUNCTIONS; devfn < slots.length(); devfn++) { // behind the bridge
      final PluggedFunction function = slots.get(devfn);
      if (function != null) {
        list.add(
            new Plugged(
                function.address(),
                function.name(),
                function.port().counters(),
                function.isPresent()));
      }
    }
    return list;
  }

  @Override
  public boolean eject(final PciAddress address, final Duration timeout) {
    final int slot = address.device();
    final PluggedFunction function = at(address.devfn());
    if (address.bus() != 0 || slot == 0 || function == null) {
      throw new IllegalArgumentException(
          "no function to eject at "
              + address
              + "; plugged are "
              + functions().stream().map(p -> p.address() + " " + p.name()).toList());
    }
    final List<PluggedFunction> together = inSlot(slot);
    if (together.size() > 1) {
      throw new IllegalArgumentException(
          "slot "
              + address
              + " holds "
              + together.stream().map(f -> f.address() + " " + f.name()).toList()
              + ", which a guest lets go together: remove them by force, one by one");
    }
    hotplug.down(slot);
    final boolean done = function.awaitRemoved(timeout);
    if (!done) {
      hotplug.settled(slot);
      LOG.warn("{} not ejected by the guest within {} ms", function.label(), timeout.toMillis());
    }
    return done;
  }

  /**
   * Takes everything out, all at once so that those that hang cost no more than one, then the
   * windows: the bus ends.
   */
  void close() {
    closed = true;
    timer.close();
    final List<Thread> removals = new ArrayList<>();
    for (int devfn = slots.length() - 1; devfn >= 0; devfn--) {
      final PluggedFunction function = slots.get(devfn);
      if (function != null) {
        removals.add(
            Thread.ofPlatform()
                .daemon()
                .name("carom-pci removal of " + function.label())
                .start(() -> takeOut(function)));
      }
    }
    await(removals, System.nanoTime() + settings.detach().plusMillis(SLACK_MS).toNanos());
    windows.forEach(Mapping::close);
    windows.clear();
  }

  private static void await(final List<Thread> removals, final long deadline) {
    try {
      for (final Thread removal : removals) {
        if (!removal.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
          LOG.warn("the {} has not ended in time", removal.getName());
        }
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt(); // they end by themselves
    }
  }

  /** The guest lets a slot go, with all functions in it. */
  private void ejected(final int slot) {
    if (slot == 0) {
      return;
    }
    for (final PluggedFunction function : inSlot(slot)) {
      if (function.beginRemoval()) {
        slots.set(function.address().devfn(), null);
        hotplug.settled(slot);
        finishRemoval(function);
        LOG.info("{} ejected by the guest", function.label());
      }
    }
  }

  /** Takes a function out without asking; false when another is at it, who is waited for. */
  private boolean takeOut(final PluggedFunction function) {
    if (!function.beginRemoval()) {
      function.awaitRemoved(REMOVAL_TIMEOUT);
      return false;
    }
    final int slot = function.address().device();
    if (slots.compareAndSet(function.address().devfn(), function, null)) { // the guest could see it
      countFunctions(slot);
      hotplug.gone(slot);
      if (!closed && !inSlot(slot).isEmpty()) {
        hotplug.up(slot); // one that hears of a slot drops all of it: the others are found again
      }
    }
    finishRemoval(function);
    return true;
  }

  private void finishRemoval(final PluggedFunction function) {
    function.remove();
    try {
      forget.accept(function.name());
    } catch (final RuntimeException e) { // the machine's, which may be going
      LOG.warn("{}: what the machine keeps of it was not forgotten", function.label(), e);
    }
    claims.release(function.address());
  }

  private @Nullable PluggedFunction at(final int devfn) {
    return slots.get(devfn);
  }

  private List<PluggedFunction> inSlot(final int slot) {
    final List<PluggedFunction> found = new ArrayList<>();
    for (int i = 0; i < FUNCTIONS; i++) {
      final PluggedFunction function = slots.get((slot << DEVFN_SHIFT) + i);
      if (function != null) {
        found.add(function);
      }
    }
    return found;
  }

  /** Bit 7 of the header type says that a guest should look for more functions than one. */
  private void countFunctions(final int slot) {
    final List<PluggedFunction> found = inSlot(slot);
    final boolean many = found.stream().anyMatch(function -> function.address().function() != 0);
    found.forEach(function -> function.multifunction(many));
  }

  private long decodedAt(final PciAddress address, final int bar) {
    final PluggedFunction function = slots.get(address.devfn());
    return function == null ? -1 : function.barAddress(bar);
  }

  private static String reason(final Throwable e) {
    return e instanceof IllegalArgumentException || e instanceof IllegalStateException
        ? String.valueOf(e.getMessage())
        : e.toString();
  }
}
