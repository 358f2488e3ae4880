package io.carom.pcibus;

import io.carom.pci.PciAddress;
import io.carom.pcibus.function.PluggedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** What the guest can see at each device and function number. No locks. */
final class SlotArray {
  private static final int DEVFN_SHIFT = 3;
  private static final int FUNCTIONS = 1 << DEVFN_SHIFT;

  private final AtomicReferenceArray<@Nullable PluggedFunction> slots =
      new AtomicReferenceArray<>(SlotClaims.SLOTS << DEVFN_SHIFT);

  /** The function at a device and function number, or null. */
  @Nullable PluggedFunction at(final int devfn) {
    return slots.get(devfn);
  }

  /** Makes a function visible. */
  void show(final PluggedFunction function) {
    slots.set(function.address().devfn(), function);
    countFunctions(function.address().device());
  }

  /** Makes a function invisible; whether it was visible. */
  boolean hide(final PluggedFunction function) {
    final boolean was = slots.compareAndSet(function.address().devfn(), function, null);
    if (was) {
      countFunctions(function.address().device());
    }
    return was;
  }

  /** All functions of a slot. */
  List<PluggedFunction> in(final int slot) {
    final List<PluggedFunction> found = new ArrayList<>();
    for (int i = 0; i < FUNCTIONS; i++) {
      add(found, (slot << DEVFN_SHIFT) + i);
    }
    return found;
  }

  /** All functions behind the host bridge. */
  List<PluggedFunction> behindBridge() {
    final List<PluggedFunction> found = new ArrayList<>();
    for (int devfn = FUNCTIONS; devfn < slots.length(); devfn++) {
      add(found, devfn);
    }
    return found;
  }

  /** Where a BAR of a function is decoded now, or -1. */
  long decodedAt(final PciAddress address, final int bar) {
    final PluggedFunction function = slots.get(address.devfn());
    return function == null ? -1 : function.barAddress(bar);
  }

  private void add(final List<PluggedFunction> list, final int devfn) {
    final PluggedFunction function = slots.get(devfn);
    if (function != null) {
      list.add(function);
    }
  }

  /** Bit 7 of the header type says that a guest should look for more functions than one. */
  private void countFunctions(final int slot) {
    final List<PluggedFunction> found = in(slot);
    final boolean many = found.stream().anyMatch(function -> function.address().function() != 0);
    found.forEach(function -> function.multifunction(many));
  }
}
