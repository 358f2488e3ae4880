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
import io.carom.pcibus.function.PluggedFunction;
import io.carom.pcibus.function.SharedRanges;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bus 0: its slots, and the host bridge's two windows.
 *
 * <p>A slot goes: claimed → made → told that it is plugged → visible to the guest; and back:
 * invisible → taken out → claim released. Guest accesses read the visible function from an atomic
 * array and take no lock of the bus. Taking out is begun by exactly one of the three who may want
 * it (the guest's EJECT, the end of the service, the end of the bus); the others wait for it,
 * bounded.
 */
final class RootBus implements PciBus {
  /** Longer than every wait within a removal together. */
  private static final Duration REMOVAL_TIMEOUT = Duration.ofSeconds(10);

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
  private final HotplugRegisters hotplug;
  private final List<Mapping> windows = new ArrayList<>();
  private volatile boolean closed;

  RootBus(final AddressMap map, final BusPorts ports, final MsiController interrupts) {
    this.map = map;
    this.ports = ports;
    this.interrupts = interrupts;
    this.hotplug = new HotplugRegisters(interrupts, this::ejected);
    final PluggedFunction bridge =
        new PluggedFunction(
            new PciAddress(0, 0, 0),
            "host bridge",
            new BridgeFunction(),
            map,
            ports,
            interrupts,
            shared);
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

  /**
   * Plugs a function in. What is wrong with it is one line in the log.
   *
   * @param name its service property {@link PciFunction#NAME}
   * @param wanted its service property {@link PciFunction#SLOT}, or null
   */
  void plug(final PciFunction model, final @Nullable Object name, final @Nullable Object wanted) {
    final Claim claim;
    try {
      claim = claims.claim(model, name, wanted);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}", e.getMessage());
      return;
    }
    final PluggedFunction function;
    try {
      function =
          new PluggedFunction(claim.address(), claim.name(), model, map, ports, interrupts, shared);
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
    if (!claim.plugged(function) || closed) { // it, or the bus, went away meanwhile
      takeOut(function);
    }
  }

  /** The service of a function is going: a surprise removal, unless it is unplugged already. */
  void unplug(final PciFunction model) {
    final Claim claim = claims.of(model);
    final PluggedFunction function = claim == null ? null : claim.withdraw();
    if (function != null && takeOut(function)) {
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
            new Plugged(function.address(), function.name(), function.port().counters(), true));
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

  /** Takes everything out, then the windows: the bus ends. */
  void close() {
    closed = true;
    for (int devfn = slots.length() - 1; devfn >= 0; devfn--) {
      final PluggedFunction function = slots.get(devfn);
      if (function != null) {
        takeOut(function);
      }
    }
    windows.forEach(Mapping::close);
    windows.clear();
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
