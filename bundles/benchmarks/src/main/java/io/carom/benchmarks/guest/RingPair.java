package io.carom.benchmarks.guest;

import static io.carom.guest.shim.virtio.VirtQueue.NONE;
import static io.carom.guest.shim.virtio.VirtQueue.length;
import static io.carom.guest.shim.virtio.VirtQueue.token;

import io.carom.benchmarks.measure.Loop;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.PackedQueue;
import io.carom.guest.shim.virtio.Ring;
import io.carom.guest.shim.virtio.RingOptions;
import io.carom.guest.shim.virtio.SplitQueue;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.AddressMode;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.PackedLayout;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueLayout;
import io.carom.virtio.device.queue.QueueSetup;
import io.carom.virtio.device.queue.SplitLayout;
import io.carom.virtio.device.queue.VirtQueue;
import org.jspecify.annotations.Nullable;

/**
 * Both sides of a ring, as the guest's driver and the device have them, over one memory: the
 * device's region. The device side works in sections of its bus session, as a queue's worker does.
 *
 * <p>{@link #turns} has both sides on one thread, by turns. {@link #driver} is the driver's side
 * alone; then {@link #startDevice} has a thread of its own for the other one, and both poll. Nobody
 * ever sleeps, so no doorbell is rung and no interrupt is sent.
 */
public final class RingPair implements AutoCloseable {
  /** How the name of the device's thread begins. */
  public static final String DEVICE_THREAD = "ring-device";

  private static final int SIZE = 256;
  private static final int MOST_BUFFERS = 3;
  private static final int HEADER = 16;
  private static final int BYTES = 512;
  private static final int STRIDE = 1024;
  private static final long BUFFERS = BenchDevice.REGION + (1 << 20);

  /** Chains that the device takes within one section, as a queue's worker does. */
  private static final int SECTION = 64;

  /** Looks in vain before a thread lets others have the processor. */
  private static final int SPINS = 2_000;

  private static final long JOIN_MS = 10_000;

  private final RingCase what;
  private final PortControl control;
  private final Ring driver;
  private final VirtQueue device;
  private final BufferList[] chains = new BufferList[SIZE];
  private final DescriptorChain chain = new DescriptorChain();
  private final int most;
  private final int written;
  private @Nullable Thread thread;
  private volatile boolean stopping;
  private volatile @Nullable String failure;

  /**
   * A ring in a device's memory.
   *
   * @param owner whose region the ring lies in
   * @param number tells the rings of a device apart
   * @throws IllegalStateException when the device side refuses it; one line
   */
  public RingPair(final BenchDevice owner, final int number, final RingCase what) {
    this.what = what;
    control = owner.machine().ports().create("ring" + number);
    control.ownRegion(BenchDevice.REGION, owner.region());
    control.busMaster(true);
    final boolean packed = what.layout().equals("packed");
    driver =
        packed
            ? new PackedQueue(owner.dma(), number, SIZE, MOST_BUFFERS)
            : new SplitQueue(owner.dma(), number, SIZE, MOST_BUFFERS);
    driver.prepare(new RingOptions(true, what.indirect(), false, 0));
    most = driver.capacity(what.chain());
    written = what.chain() == 1 ? BYTES : BYTES * (what.chain() - 1);
    for (int i = 0; i < SIZE; i++) {
      chains[i] = buffers(BUFFERS + (long) i * MOST_BUFFERS * STRIDE);
    }
    final QueueLayout layout = packed ? new PackedLayout() : new SplitLayout();
    try {
      device =
          layout.open(
              new QueueSetup(
                  SIZE,
                  driver.descAddress(),
                  driver.driverAddress(),
                  driver.deviceAddress(),
                  features(packed),
                  AddressMode.RESTRICTED,
                  false));
    } catch (final QueueException e) {
      throw new IllegalStateException("a " + what.layout() + " ring: " + e.getMessage(), e);
    }
  }

  private long features(final boolean packed) {
    return VirtioFeatures.VERSION_1
        | VirtioFeatures.EVENT_IDX
        | (packed ? VirtioFeatures.RING_PACKED : 0)
        | (what.indirect() ? VirtioFeatures.INDIRECT_DESC : 0);
  }

  private BufferList buffers(final long address) {
    final BufferList list = new BufferList(MOST_BUFFERS);
    if (what.chain() == 1) {
      list.writable(address, BYTES);
      return list;
    }
    list.readable(address, HEADER);
    for (int i = 1; i < what.chain(); i++) {
      list.writable(address + (long) i * STRIDE, BYTES);
    }
    return list;
  }

  /** Both sides by turns; an operation is a chain. */
  public Loop turns() {
    return new Turns();
  }

  /** The driver's side, while the device has its thread; an operation is a chain. */
  public Loop driver() {
    return new Driver();
  }

  /** Starts the device's thread. */
  public void startDevice() {
    stopping = false;
    thread = Thread.ofPlatform().daemon().name(DEVICE_THREAD).start(this::poll);
  }

  /** Ends the device's thread. */
  public void stopDevice() throws InterruptedException {
    final Thread running = thread;
    if (running != null) {
      stopping = true;
      running.join(JOIN_MS);
      thread = null;
    }
  }

  @Override
  public void close() {
    control.close();
    driver.free();
  }

  private void expect(final long taken, final int token) {
    if (taken == NONE || token(taken) != token || length(taken) != written) {
      throw new IllegalStateException(
          "a " + what.layout() + " ring returned " + taken + ": " + driver.violation());
    }
  }

  /** Takes and returns up to a section's worth of chains; how many. */
  private int serve(final BusSession session) throws QueueException {
    int taken = 0;
    int unpublished = 0;
    device.enter(session, session.begin());
    try {
      while (taken < SECTION && device.pop(session, chain)) {
        chain.wrote(written);
        device.push(chain);
        taken++;
        unpublished++;
        if (unpublished == what.batch()) {
          device.publish();
          unpublished = 0;
        }
      }
      if (unpublished > 0) {
        device.publish();
      }
    } finally {
      session.end();
    }
    return taken;
  }

  private void poll() {
    try (BusSession session = control.port().open()) {
      int vain = 0;
      while (!stopping) {
        vain = serve(session) > 0 ? 0 : rest(vain);
      }
    } catch (final QueueException | RuntimeException e) {
      failure = "the device side of a " + what.layout() + " ring: " + e.getMessage();
    }
  }

  private static int rest(final int vain) {
    if (vain < SPINS) {
      Thread.onSpinWait();
      return vain + 1;
    }
    Thread.yield(); // the other side may need this processor
    return 0;
  }

  /** Both sides. */
  private final class Turns extends Loop {
    private @Nullable BusSession session;

    /** Chains done beyond those that were asked for: a batch is done as a whole. */
    private long ahead;

    @Override
    protected long run(final long operations) {
      BusSession own = session;
      if (own == null) {
        own = control.port().open(); // of the thread that runs the loop
        session = own;
      }
      try {
        for (ahead -= operations; ahead < 0; ahead += what.batch()) {
          round(own);
        }
      } catch (final QueueException e) {
        throw new IllegalStateException(
            "the device side of a " + what.layout() + " ring: " + e.getMessage(), e);
      }
      return 0;
    }

    private void round(final BusSession own) throws QueueException {
      for (int i = 0; i < what.batch(); i++) {
        driver.add(chains[i], i);
      }
      driver.publish();
      serve(own);
      for (int i = 0; i < what.batch(); i++) {
        expect(driver.take(), i);
      }
    }
  }

  /** The driver's. What is in flight when it has done enough goes on when it is run again. */
  private final class Driver extends Loop {
    private int inFlight;
    private int put;
    private int got;
    private int unpublished;

    @Override
    protected long run(final long operations) {
      int vain = 0;
      for (long done = 0; done < operations; ) {
        final boolean started = start();
        final long taken = driver.take();
        if (taken != NONE) {
          expect(taken, got);
          got = (got + 1) & (SIZE - 1);
          inFlight--;
          done++;
          vain = 0;
        } else if (started) {
          vain = 0;
        } else {
          publish();
          check();
          vain = rest(vain);
        }
      }
      return 0;
    }

    /** Adds a chain if there is room, as one returned before it: the device keeps their order. */
    private boolean start() {
      if (inFlight == most || !driver.add(chains[put], put)) {
        return false;
      }
      inFlight++;
      put = (put + 1) & (SIZE - 1);
      unpublished++;
      if (unpublished == what.batch()) {
        publish();
      }
      return true;
    }

    private void publish() {
      driver.publish(); // does nothing when nothing was added
      unpublished = 0;
    }

    private void check() {
      final String reason = failure != null ? failure : driver.violation();
      if (reason != null) {
        throw new IllegalStateException(reason);
      }
    }
  }
}
