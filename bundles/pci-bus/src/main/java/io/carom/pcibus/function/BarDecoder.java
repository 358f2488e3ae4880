package io.carom.pcibus.function;

import io.carom.memory.AddressMap;
import io.carom.memory.AddressMap.Mapping;
import io.carom.memory.MmioHandler;
import io.carom.memory.RegionView;
import io.carom.pci.BarSpec;
import io.carom.pcibus.config.FunctionRegisters;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one BAR in the address map where the guest has put it, and tells those whose SWIOTLB range
 * it is. Guarded by the function's config lock.
 */
final class BarDecoder {
  private static final Logger LOG = LoggerFactory.getLogger(BarDecoder.class);
  private static final long OFF = 0;

  private final String label;
  private final BarSpec spec;
  private final MmioHandler handler;
  private final AddressMap map;
  private final @Nullable RegionView view;
  private final LongConsumer decoded;
  private long wanted = OFF;
  private @Nullable Mapping mapping;
  private volatile long decodedAt = -1; // read without the lock
  private boolean logged;

  /**
   * A BAR that is not decoded.
   *
   * @param view how CPUs see its memory, or null when they cache it
   * @param decoded told where it is decoded, after it is in the map, and with -1 that it is not,
   *     before it leaves
   */
  BarDecoder(
      final String label,
      final BarSpec spec,
      final MmioHandler handler,
      final AddressMap map,
      final @Nullable RegionView view,
      final LongConsumer decoded) {
    this.label = label;
    this.spec = spec;
    this.handler = handler;
    this.map = map;
    this.view = view;
    this.decoded = decoded;
  }

  /** Brings the map up to date; returns whether the BAR moved, came or went. */
  boolean update(final FunctionRegisters registers, final boolean decode) {
    final long address = registers.barAddress(spec);
    final long now = decode && assigned(address) ? address : OFF;
    if (now == wanted && (now == OFF || mapping != null)) {
      return false;
    }
    final boolean moved = now != wanted || mapping != null;
    unmap();
    wanted = now;
    if (now != OFF) {
      map(now);
    }
    return moved || mapping != null;
  }

  /** Which BAR this is. */
  int index() {
    return spec.index();
  }

  /** Where it is in the map, or -1. */
  long decodedAt() {
    return decodedAt;
  }

  /** Takes the BAR out of the map for good. */
  void close() {
    unmap();
    wanted = OFF;
  }

  /** Leaves the BAR's place to the next incarnation of the bus. */
  void park(final Duration timeout) {
    final Mapping old = mapping;
    if (old != null) {
      mapping = null;
      old.park(timeout);
    }
  }

  private boolean assigned(final long address) {
    if (address == 0) {
      refused(address, "it was never assigned");
      return false;
    }
    if (address == FunctionRegisters.sizingAddress(spec)) {
      refused(address, "it holds what sizing left there");
      return false;
    }
    return true;
  }

  private void map(final long base) {
    final String name = label + " BAR " + spec.index();
    try {
      mapping = mapping(name, base);
    } catch (final IllegalArgumentException e) {
      refused(base, e.getMessage());
      return;
    }
    decodedAt = base;
    logged = false;
    decoded.accept(base);
  }

  private Mapping mapping(final String name, final long base) {
    final MemorySegment memory = spec.memory();
    if (memory == null) {
      return map.registers(name, base, spec.size(), handler);
    }
    return view == null ? map.memory(name, base, memory) : map.view(name, base, view);
  }

  private void unmap() {
    final Mapping old = mapping;
    if (old != null) {
      mapping = null;
      decodedAt = -1;
      // The device loses its range first, so that it never uses an address that answers no more.
      decoded.accept(-1);
      old.close();
    }
  }

  private void refused(final long address, final @Nullable String why) {
    if (!logged) {
      logged = true;
      LOG.warn(
          "{}: BAR {} at 0x{} is not decoded: {}",
          label,
          spec.index(),
          Long.toHexString(address),
          why);
    }
  }
}
