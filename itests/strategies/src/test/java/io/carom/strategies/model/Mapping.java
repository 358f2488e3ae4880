package io.carom.strategies.model;

import io.carom.dma.DmaDirection;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A live mapping, as the reference model knows it. */
final class Mapping {
  /** Whose it is. */
  final ModelDevice device;

  /** Guest-physical address of the buffer. */
  final long address;

  /** What the device was told. */
  final long bus;

  /** Bytes. */
  final int size;

  /** As mapped. */
  final DmaDirection direction;

  /** The buffer, and what it should hold. */
  final Shadow buffer;

  /** The buffer with a little on both sides of it. */
  final Shadow around;

  /** The cell of buffers that it lies in, or -1. */
  final int cell;

  /** What the device should see; null where it sees the buffer itself. */
  final @Nullable MemorySegment bounce;

  Mapping(
      final ModelDevice device,
      final long address,
      final long bus,
      final DmaDirection direction,
      final Shadow buffer,
      final Shadow around,
      final int cell,
      final boolean pass) {
    this.device = device;
    this.address = address;
    this.bus = bus;
    this.size = (int) buffer.real.byteSize();
    this.direction = direction;
    this.buffer = buffer;
    this.around = around;
    this.cell = cell;
    if (pass) {
      bounce = null;
    } else {
      bounce = MemorySegment.ofArray(new byte[size]);
      bounce.copyFrom(buffer.expected); // always in, whatever the direction
    }
  }

  /** Whether the device reaches the buffer where it is. */
  boolean pass() {
    return bounce == null;
  }

  /** What the device sees. */
  MemorySegment seen() {
    return bounce == null ? buffer.expected : bounce;
  }

  /** The reference model of sync and unmap for the CPU. */
  void toCpu(final long offset, final long length) {
    if (bounce != null) {
      buffer.expected.asSlice(offset, length).copyFrom(bounce.asSlice(offset, length));
    }
  }

  /** The reference model of sync for the device. */
  void toDevice(final long offset, final long length) {
    if (bounce != null) {
      bounce.asSlice(offset, length).copyFrom(buffer.expected.asSlice(offset, length));
    }
  }

  /** Fails unless both sides see exactly what they should. */
  void check() {
    around.check("buffer of " + this);
    final long at = device.driven.mismatch(bus, seen());
    if (at >= 0) {
      throw new AssertionError(this + ": the device sees a wrong byte at " + at);
    }
  }

  @Override
  public String toString() {
    return String.format(
        "%s %d bytes %s 0x%x at 0x%x%s",
        device.name(), size, direction, address, bus, pass() ? " (pass)" : "");
  }
}
