package io.carom.machine.device;

import io.carom.virtio.DeviceRecord;
import io.carom.virtio.RingRecord;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioState.QueueState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of one device, whichever incarnation of its model serves it.
 *
 * <p><b>Protocol.</b> The monitor guards everything but the tables' contents; it is held for a few
 * steps and nobody waits with it held. Of all incarnations only the one that claimed last changes
 * anything: each asks, under the monitor, whether it is that one. The serving threads of an
 * incarnation do not come here but write their {@link RingTable}s; those are void before a claim
 * returns, and what they say is read by the claim after the port was revoked and their sections
 * have ended, see there.
 */
final class KeptDevice {
  private final Map<Integer, RingTable> rings = new TreeMap<>();
  private @Nullable VirtioState state;
  private @Nullable Incarnation current;

  /** The next incarnation takes over. */
  synchronized DeviceRecord claim() {
    voidRings();
    final Incarnation next = new Incarnation(snapshot());
    current = next;
    return next;
  }

  private synchronized @Nullable DeviceRecord renew(final Incarnation incarnation) {
    return current == incarnation ? claim() : null;
  }

  /** Nobody's record is worth anything any more. */
  synchronized void forget() {
    current = null;
    clear();
  }

  private void voidRings() {
    rings.values().forEach(RingTable::makeVoid);
  }

  private void clear() {
    voidRings();
    rings.clear();
    state = null;
  }

  private @Nullable VirtioState snapshot() {
    final VirtioState now = state;
    if (now == null) {
      return null;
    }
    final List<QueueState> queues = new ArrayList<>();
    for (int i = 0; i < now.queues().size(); i++) {
      final RingTable ring = rings.get(i);
      queues.add(ring == null ? now.queues().get(i) : ring.in(now.queues().get(i)));
    }
    return new VirtioState(
        now.version(),
        now.type(),
        now.offered(),
        now.accepted(),
        now.status(),
        now.configVector(),
        now.isr(),
        now.selects(),
        now.config(),
        queues,
        now.backend());
  }

  private synchronized boolean is(final Incarnation incarnation) {
    return current == incarnation;
  }

  private synchronized boolean keep(final Incarnation incarnation, final VirtioState next) {
    if (current != incarnation) {
      return false;
    }
    state = next;
    return true;
  }

  private synchronized void reset(final Incarnation incarnation) {
    if (current == incarnation) {
      clear();
    }
  }

  private synchronized RingRecord ring(
      final Incarnation incarnation, final int queue, final int size, final int start) {
    final RingTable made = new RingTable(size, start);
    if (current != incarnation) {
      made.makeVoid();
      return made;
    }
    final RingTable before = rings.put(queue, made);
    if (before != null) {
      before.makeVoid(); // a queue that was reset and is set up again
    }
    return made;
  }

  /** The view of whoever claimed the device. */
  private final class Incarnation implements DeviceRecord {
    private final @Nullable VirtioState kept;

    Incarnation(final @Nullable VirtioState kept) {
      this.kept = kept;
    }

    @Override
    public @Nullable VirtioState kept() {
      return kept;
    }

    @Override
    public boolean keep(final VirtioState next) {
      return KeptDevice.this.keep(this, next);
    }

    @Override
    public void reset() {
      KeptDevice.this.reset(this);
    }

    @Override
    public RingRecord ring(final int queue, final int size, final int start) {
      return KeptDevice.this.ring(this, queue, size, start);
    }

    @Override
    public @Nullable DeviceRecord renew() {
      return KeptDevice.this.renew(this);
    }

    @Override
    public boolean isVoid() {
      return !is(this);
    }
  }
}
