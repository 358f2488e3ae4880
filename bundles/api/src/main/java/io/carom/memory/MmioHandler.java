package io.carom.memory;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Answers loads and stores in an MMIO range.
 *
 * <p>Called on guest threads, several at a time. Must not block beyond the device's own short
 * locks. Whatever the guest passes must be survived: offset and width are within the registered
 * range and naturally aligned, nothing else is promised.
 */
@ConsumerType
public interface MmioHandler {
  /** Returns the register's value, zero-extended. Offset is from the start of the range. */
  long read(long offset, int width);

  /** Stores a value; only its low {@code width} bytes count. */
  void write(long offset, int width, long value);
}
