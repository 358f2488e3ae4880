package io.carom.memory;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A device's memory as the guest's CPUs map it when they do not cache it: what they store shows to
 * the device later, and what the device stored must be loaded again. Whoever copies says so here,
 * and pays what a line costs. Offsets are those of the memory; a line has {@value #LINE} bytes.
 *
 * <p>Thread-safe; of two threads that say something of the same line, the later one counts.
 */
@ProviderType
public interface RegionView {
  /** Bytes of a line. */
  int LINE = 64;

  /** The memory as CPUs see it: for buffers, with the calls below around each use. */
  MemorySegment memory();

  /**
   * The memory as the device sees it, every access by itself: for rings and control structures,
   * which are accessed field by field.
   */
  MemorySegment strict();

  /**
   * CPUs have stored a run of {@link #memory}. Write-combining: its lines wait, and the oldest
   * leave when the buffer is full; uncached: the device has them when this returns.
   */
  void stored(long offset, long length);

  /** Stores are waited for: the device has them when this returns. Before a doorbell. */
  void flush();

  /** CPUs are about to load a run: brings what the device has stored into {@link #memory}. */
  void load(long offset, long length);

  /** Lines and flushes so far. */
  Counters counters();

  /**
   * What the guest's CPUs did.
   *
   * @param linesRead lines loaded
   * @param linesWritten lines stored
   * @param flushes calls of {@link #flush}
   */
  record Counters(long linesRead, long linesWritten, long flushes) {}
}
