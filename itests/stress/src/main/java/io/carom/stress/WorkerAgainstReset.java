package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.pci.BusAccess;
import io.carom.pci.BusSession;
import io.carom.virtio.RingRecord;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueHost;
import io.carom.virtio.device.queue.QueueWorker;
import io.carom.virtio.device.queue.VirtQueue;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A queue's worker that heeds a doorbell against a reset of its device: how often the ring had been
 * touched when the reset was complete, and how often it was touched after.
 */
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "Served before; the reset waited for it.")
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "The worker saw that it may not.")
@Outcome(id = "0, 1", expect = FORBIDDEN, desc = "The ring was touched behind the reset.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "The reset gave up waiting.")
@State
public class WorkerAgainstReset {
  private static final BusSession SESSION = new Session();

  private final Ring ring = new Ring();
  private final Host host = new Host();
  private final QueueWorker worker = new QueueWorker(0, host);

  /** A device that runs, with a doorbell latched. */
  public WorkerAgainstReset() {
    worker.activate(ring, chain -> {});
    worker.kick();
  }

  /** Serves the doorbell. */
  @Actor
  public void worker() {
    worker.processNow(SESSION);
  }

  /** Stops the device, waits for its worker, and takes the ring away. */
  @Actor
  public void reset(final II_Result r) {
    final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    host.serving = false;
    r.r1 = worker.awaitOutside(deadline) ? ring.touched : -1;
  }

  /** Looks at the ring in the end. */
  @Arbiter
  public void after(final II_Result r) {
    r.r2 = ring.touched - r.r1;
  }

  private static final class Host implements QueueHost {
    private volatile boolean serving = true;

    @Override
    public boolean serving() {
      return serving;
    }

    @Override
    public boolean notifyUsed(final int queue) {
      return true;
    }

    @Override
    public void broken(final int queue, final String reason) {
      throw new IllegalStateException(reason);
    }
  }

  /** Counts who enters, in a plain field as ring memory is. */
  private static final class Ring implements VirtQueue {
    private int touched;

    @Override
    public void enter(final BusSession session, final long version) {
      touched++;
    }

    @Override
    public boolean pop(final BusSession session, final DescriptorChain chain) {
      return false;
    }

    @Override
    public void push(final DescriptorChain chain) {}

    @Override
    public void rewind(final int chains) {}

    @Override
    public boolean publish() {
      return false;
    }

    @Override
    public boolean over() {
      return false;
    }

    @Override
    public boolean idle() {
      return true;
    }

    @Override
    public void keep(final RingRecord record) {}

    @Override
    public List<Integer> inFlight() {
      return List.of();
    }

    @Override
    public void disableNotifications() {}

    @Override
    public boolean enableNotifications() {
      return false;
    }

    @Override
    public int nextAvail() {
      return 0;
    }

    @Override
    public int nextUsed() {
      return 0;
    }
  }

  private static final class Session implements BusSession {
    @Override
    public long begin() {
      return 1;
    }

    @Override
    public void end() {}

    @Override
    public MemorySegment resolve(final long address, final long length, final BusAccess access) {
      throw new UnsupportedOperationException("nothing is resolved here");
    }

    @Override
    public boolean inOwnRegion(final long address, final long length) {
      return true;
    }

    @Override
    public void touched(final long address) {}

    @Override
    public void close() {}
  }
}
