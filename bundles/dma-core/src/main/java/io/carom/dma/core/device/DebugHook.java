package io.carom.dma.core.device;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;

/**
 * What takes a device's calls while dma-debug is on for it: each does what the call does without
 * it, throws what that throws, and looks at it besides.
 */
public interface DebugHook {
  /** As {@link io.carom.dma.DmaDevice#map}. */
  long map(long address, long size, DmaDirection direction, int attributes);

  /** As {@link io.carom.dma.DmaDevice#unmap}. */
  void unmap(long busAddress, long size, DmaDirection direction, int attributes);

  /** As {@link io.carom.dma.DmaDevice#syncForCpu} and {@code syncForDevice}. */
  void sync(long busAddress, long size, DmaDirection direction, boolean forCpu);

  /** As {@link io.carom.dma.DmaDevice#mapSg}. */
  int mapSg(ScatterList list, DmaDirection direction, int attributes);

  /** As {@link io.carom.dma.DmaDevice#unmapSg}. */
  void unmapSg(ScatterList list, DmaDirection direction, int attributes);

  /** As {@link io.carom.dma.DmaDevice#syncSgForCpu} and {@code syncSgForDevice}. */
  void syncSg(ScatterList list, DmaDirection direction, boolean forCpu);

  /** As {@link io.carom.dma.DmaDevice#allocateCoherent}. */
  CoherentBuffer allocateCoherent(long size);

  /** As {@link io.carom.dma.DmaDevice#freeCoherent}. */
  void freeCoherent(CoherentBuffer buffer);

  /** The driver asked whether a map failed. */
  void checked(long busAddress);

  /** As {@link io.carom.dma.DmaDevice#cpuAccess}. */
  void cpuAccess(long address, long size, boolean write);
}
