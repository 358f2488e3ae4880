package io.carom.pcibus;

import io.carom.memory.AddressMap;
import io.carom.memory.AddressMap.Mapping;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import io.carom.pci.PciBus;
import io.carom.pci.PciFunction;
import io.carom.pci.SlotKeeper;
import io.carom.pci.SlotRecord;
import io.carom.pcibus.SlotClaims.Claim;
import io.carom.pcibus.SlotClaims.Leaving;
import io.carom.pcibus.function.BusContext;
import io.carom.pcibus.function.PluggedFunction;
import io.carom.pcibus.function.PluggedFunction.Return;
import io.carom.pcibus.function.SharedRanges;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
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
 * PciFunction#KEEP} that has not said that it is leaving is detached when its service goes, the
 * slot stays claimed and visible, and the next service of that name is attached in its place. When
 * there is none in time, or it is another function by its spec, the old one is a surprise removal,
 * and is forgotten by the machine; the new one is plugged in as any other.
 *
 * <p>Guest accesses read the visible function from an atomic array and take no lock of the bus.
 * Taking out is begun by exactly one of those who may want it (the guest's EJECT, the end of the
 * service or of its absence, the end of the bus); the others wait for it, bounded. Who attaches and
 * who ends an absence are told apart by {@link SlotClaims}: one of them finds it over. How a model
 * goes and comes, and how that meets a removal, is told at {@link PluggedFunction}.
 *
 * <p><b>The bus itself</b> may go and another come, with {@link SlotKeeper}, to which each change
 * of what the guest sees is written through. Going: the windows are parked, so that accesses wait →
 * slots of functions that are to be kept are suspended: their BARs are parked, their ports revoked
 * and closed, their models told; the others are surprise removals. Coming: what is kept is put back
 * as functions that are away, each with all that the guest has programmed → their BARs and then the
 * windows are registered, which lets the accesses that wait go on → models come as after any other
 * absence. Accesses that were inside the old bus are done again by the new one.
 */
final class RootBus implements PciBus {
  private static final Logger LOG = LoggerFactory.getLogger(RootBus.class);
  private static final String BRIDGE = "host bridge";
  private static final long PORT_POLL_NANOS = 1_000_000;

  private final @Nullable SlotKeeper keeper;
  private final BusContext context;
  private final SlotClaims claims = new SlotClaims();
  private final SlotArray slots = new SlotArray();
  private final SharedRanges shared = new SharedRanges();
  private final AbsenceTimer timer = new AbsenceTimer();
  private final HotplugRegisters hotplug;
  private final Removals removals;
  private final List<Mapping> windows = new ArrayList<>();
  private volatile BusSettings settings;
  private volatile boolean closed;

  /**
   * A bus with the host bridge, and what the bus before has left.
   *
   * @param keeper where slots are kept for the next one; null when there will be none
   * @param forget told the name of each function that is gone for good
   */
  RootBus(
      final AddressMap map,
      final BusPorts ports,
      final MsiController interrupts,
      final @Nullable SlotKeeper keeper,
      final BusSettings settings,
      final Consumer<String> forget) {
    this.keeper = keeper;
    this.settings = settings;
    context = new BusContext(map, ports, interrupts, shared, keeper, () -> this.settings.detach());
    hotplug = new HotplugRegisters(interrupts, this::ejected, keeper);
    removals = new Removals(slots, claims, hotplug, forget);
    try {
      if (keeper != null) {
        keeper.slots().forEach(this::resume);
        slots.behindBridge().forEach(this::follow);
      }
      bridge();
      windows.add(
          map.registers(
              "PCI config space",
              PhysicalLayout.ECAM_BASE,
              PhysicalLayout.ECAM_SIZE,
              new EcamWindow(slots::at)));
      windows.add(
          map.registers(
              "PCI hotplug", PhysicalLayout.HOTPLUG_BASE, PhysicalLayout.HOTPLUG_SIZE, hotplug));
    } catch (final IllegalArgumentException e) {
      windows.forEach(Mapping::close); // nothing half made stays in the map
      close();
      throw e;
    }
  }

  /** Puts a function back that the bus before has left; its model may come from now on. */
  private void resume(final SlotRecord record) {
    final Duration absent = settings.absent();
    final PluggedFunction function;
    try {
      function = resumed(record, absent);
    } catch (final IllegalArgumentException | IllegalStateException e) {
      LOG.error("{} is lost: {}", record.label(), e.getMessage());
      if (keeper != null) {
        keeper.forget(record.address());
      }
      hotplug.gone(record.address().device());
      return;
    }
    slots.show(function);
    if (record.address().device() != 0) {
      final Claim claim = claims.kept(function);
      LOG.info("{} is kept from the bus before", function.label());
      expireAfter(absent, claim, claims.away(claim), absent);
    }
  }

  /**
   * Makes it; while the bus before, which may have been left behind, has its port open still, that
   * is waited for.
   */
  private PluggedFunction resumed(final SlotRecord record, final Duration absent) {
    final long deadline = System.nanoTime() + settings.detach().toNanos();
    while (true) {
      try {
        return PluggedFunction.of(record, context, absent);
      } catch (final IllegalStateException e) { // its port is open
        if (System.nanoTime() - deadline >= 0) {
          throw e;
        }
        LockSupport.parkNanos(PORT_POLL_NANOS);
      }
    }
  }

  /** The bridge's own model is always there. */
  private void bridge() {
    final BridgeFunction model = new BridgeFunction();
    PluggedFunction bridge = slots.at(0);
    if (bridge == null || bridge.comeBack(model) != Return.BACK) {
      if (bridge != null && bridge.beginRemoval()) { // another version has another bridge
        bridge.remove();
      }
      bridge = PluggedFunction.of(new PciAddress(0, 0, 0), BRIDGE, model, context);
      bridge.announce();
      bridge.keep(true);
      slots.show(bridge);
    }
  }

  /** Other times from now on; absences that have begun keep theirs. */
  void settings(final BusSettings changed) {
    settings = changed;
  }

  BusSettings settings() {
    return settings;
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
    final boolean done = away != null && attached(away, model, wanted, kept);
    if (!done && !closed) {
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
      function = PluggedFunction.of(claim.address(), claim.name(), model, context);
    } catch (final RuntimeException | LinkageError e) { // the model's code is called in there
      claims.release(claim.address());
      LOG.error("{} is not plugged into {}: {}", claim.name(), claim.address(), reason(e));
      return;
    }
    follow(function);
    if (!function.announce()) {
      removals.takeOut(function);
      return;
    }
    function.keep(keep);
    slots.show(function);
    hotplug.up(claim.address().device());
    LOG.info("{} plugged", function.label());
    settled(new Leaving(claim, function, keep));
  }

  private void follow(final PluggedFunction function) {
    if (function.sharesRange()) {
      shared.add(function, slots::decodedAt);
    }
  }

  /** A model came for a function that is away; false when it is to be plugged in as a new one. */
  private boolean attached(
      final Leaving away,
      final PciFunction model,
      final @Nullable Object wanted,
      final boolean keep) {
    final PluggedFunction function = away.function();
    final Return outcome = fits(function, wanted) ? function.comeBack(model) : Return.OTHER;
    switch (outcome) {
      case BACK -> {
        LOG.info("{} is back", function.label());
        if (!keep) {
          function.keep(false);
        }
        settled(away);
      }
      case GONE -> function.awaitRemoved(settings.detach().multipliedBy(2));
      case OTHER, FAILED -> removals.bySurprise(function);
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
      end(plugged.function(), keeper != null);
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
    if (closed) {
      return; // it ends with the bus, which is waited for there
    }
    if (!leaving.keep() || function.isLeaving()) {
      removals.bySurprise(function);
      return;
    }
    final Duration absent = settings.absent();
    final long since = System.nanoTime();
    if (!function.detach(absent)) {
      removals.takeOut(function); // waits for who does that
      return;
    }
    final int absence = claims.away(leaving.claim());
    if (absence > 0) {
      LOG.info("{} is away; its slot is kept for {} ms", function.label(), absent.toMillis());
      expireAfter(absent.minusNanos(System.nanoTime() - since), leaving.claim(), absence, absent);
    }
  }

  private void expireAfter(
      final Duration delay, final Claim claim, final int absence, final Duration absent) {
    timer.after(
        delay,
        () -> {
          final PluggedFunction late = claims.expire(claim, absence);
          if (late != null) {
            LOG.warn("{} has not come back within {} ms", late.label(), absent.toMillis());
            removals.bySurprise(late);
          }
        });
  }

  @Override
  public List<Plugged> functions() {
    return slots.behindBridge().stream()
        .map(f -> new Plugged(f.address(), f.name(), f.port().counters(), f.isPresent()))
        .toList();
  }

  @Override
  public boolean eject(final PciAddress address, final Duration timeout) {
    final int slot = address.device();
    final PluggedFunction function = slots.at(address.devfn());
    if (address.bus() != 0 || slot == 0 || function == null) {
      throw new IllegalArgumentException(
          "no function to eject at "
              + address
              + "; plugged are "
              + functions().stream().map(p -> p.address() + " " + p.name()).toList());
    }
    final List<PluggedFunction> together = slots.in(slot);
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
   * The bus ends. What the next one goes on with is left parked, all else is taken out; bounded,
   * whatever hangs.
   */
  void close() {
    close(keeper != null);
  }

  /** The bus ends, and no other comes: all is taken out. */
  void end() {
    close(false);
  }

  private void close(final boolean keeping) {
    closed = true;
    claims.close();
    timer.close();
    removals.last();
    if (keeping) {
      windows.forEach(window -> window.park(settings.absent()));
      hotplug.suspend();
    }
    final List<PluggedFunction> all = new ArrayList<>(slots.in(0));
    all.addAll(slots.behindBridge());
    BusEnd.all(all, settings.detach(), function -> end(function, keeping));
    if (!keeping) {
      windows.forEach(Mapping::close);
    }
    windows.clear();
  }

  /** The bus ends for a function. */
  private void end(final PluggedFunction function, final boolean keeping) {
    if (!keeping || !function.isKept()) {
      removals.takeOut(function);
    } else if (function.beginRemoval()) {
      function.suspend(settings.absent());
    }
  }

  private void ejected(final int slot) {
    removals.ejected(slot);
  }

  private static String reason(final Throwable e) {
    return e instanceof IllegalArgumentException || e instanceof IllegalStateException
        ? String.valueOf(e.getMessage())
        : e.toString();
  }
}
