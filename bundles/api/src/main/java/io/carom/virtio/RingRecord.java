package io.carom.virtio;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The machine's table of one queue's heads in flight, and the positions of the device's side. What
 * vhost-user keeps in its inflight region, for one writer.
 *
 * <p><b>Protocol.</b> The serving thread calls it inside a section of its bus session. Publishing
 * used entries and clearing their heads is one call, so a section sees both or none; who revokes
 * the port waits for the section's end, and reads the table only then. A void table (another
 * incarnation has claimed the device) publishes nothing.
 *
 * <p>No allocation, no lock.
 */
@ProviderType
public interface RingRecord {
  /**
   * A chain was taken.
   *
   * @param head its head (split) or buffer id (packed), 0..65535
   * @param nextAvail position behind it
   */
  void popped(int head, int nextAvail);

  /** The chains that were taken last are available again. */
  void rewound(int chains, int nextAvail);

  /**
   * Publishes a split ring's used index with release, and clears the heads.
   *
   * @param chains how many were returned, the oldest in flight
   * @param nextUsed position behind them
   * @return false when the table is void: nothing was written
   */
  boolean publishIndex(MemorySegment used, long offset, short index, int chains, int nextUsed);

  /** The same for a packed ring's first used descriptor, an aligned little-endian long. */
  boolean publishWord(MemorySegment ring, long offset, long word, int chains, int nextUsed);
}
