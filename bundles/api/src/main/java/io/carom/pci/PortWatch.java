package io.carom.pci;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Sees what a function does through its port: for those who look for mistakes, see {@link
 * BusPorts#watch}. Called on device threads inside bus sections; must not block and must not throw.
 */
@ConsumerType
public interface PortWatch {
  /**
   * A run of memory is about to be used. It may be used until {@link #settled}.
   *
   * @param session the session that resolved it, or that uses again what it resolved earlier; then
   *     only the first byte of the run is told, as a read
   * @param address bus address
   * @param length bytes, at least 1; the run does not wrap
   * @param access what the device asked for; it may do less, such as write only a part
   */
  void access(BusSession session, long address, long length, BusAccess access);

  /** A session will not use any more what it resolved, until it resolves it again. */
  void settled(BusSession session);
}
