package io.carom.machine.port;

import io.carom.pci.BusPort;
import io.carom.pci.PortControl;
import io.carom.pci.Translation;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The control of one port: each method publishes a route, then waits without holding a lock. */
final class PortRoutes implements PortControl {
  private final DevicePort port;
  private final Duration patience;
  private final Runnable remove;
  private volatile boolean closed;

  /**
   * A control.
   *
   * @param patience how long a change waits for sections under the old route
   * @param remove takes the port out of the machine
   */
  PortRoutes(final DevicePort port, final Duration patience, final Runnable remove) {
    this.port = port;
    this.patience = patience;
    this.remove = remove;
  }

  @Override
  public BusPort port() {
    return port;
  }

  @Override
  public boolean busMaster(final boolean on) {
    return changeAndWait(route -> route.busMaster(on), patience);
  }

  @Override
  public boolean ownRegion(final long base, final @Nullable MemorySegment memory) {
    if (memory != null
        && memory.byteSize() > 0
        && Long.compareUnsigned(base + (memory.byteSize() - 1), base) < 0) {
      throw new IllegalArgumentException(
          "own range of " + memory.byteSize() + " bytes at 0x" + Long.toHexString(base) + " wraps");
    }
    return changeAndWait(route -> route.own(base, memory), patience);
  }

  @Override
  public boolean ownMemory(final MemorySegment memory) {
    return changeAndWait(route -> route.ownMemory(memory), patience);
  }

  @Override
  public boolean translation(final @Nullable Translation translation) {
    return changeAndWait(route -> route.translation(translation), patience);
  }

  @Override
  public boolean translated(final boolean on) {
    return changeAndWait(route -> route.translated(on), patience);
  }

  @Override
  public boolean quiesce(final Duration timeout) {
    return port.awaitSections(Deadlines.after(timeout));
  }

  @Override
  public boolean revoke(final Duration timeout) {
    return changeAndWait(Route::revoke, timeout);
  }

  @Override
  public void renew() {
    if (!closed) {
      port.change(Route::renew);
    }
  }

  @Override
  public void close() {
    closed = true;
    revoke(patience);
    remove.run();
  }

  private boolean changeAndWait(final UnaryOperator<Route> step, final Duration timeout) {
    final long version = port.change(step);
    return port.awaitOlder(Deadlines.after(timeout), version);
  }
}
