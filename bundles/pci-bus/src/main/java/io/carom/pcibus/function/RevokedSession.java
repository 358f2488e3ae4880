package io.carom.pcibus.function;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import java.lang.foreign.MemorySegment;

/** What a model gets that opens a session after its time: no section of it ever begins. */
final class RevokedSession implements BusSession {
  @Override
  public long begin() {
    return -1;
  }

  @Override
  public void end() {
    throw new IllegalStateException("no section has begun: the function is unplugged");
  }

  @Override
  public MemorySegment resolve(final long address, final long length, final BusAccess access)
      throws BusFaultException {
    throw new BusFaultException(BusFaultException.Reason.REVOKED, address, length);
  }

  @Override
  public boolean inOwnRegion(final long address, final long length) {
    return false;
  }

  @Override
  public void touched(final long address) {
    // there is no section in which anything could be
  }

  @Override
  public void close() {
    // nothing is open
  }
}
