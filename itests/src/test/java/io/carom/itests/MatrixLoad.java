package io.carom.itests;

import io.carom.guest.Entropy;
import io.carom.guest.Fio;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.guest.GuestKernel;
import io.carom.guest.Network;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/**
 * Verified load on a disk, a pair of interfaces and a source of random bytes, from a bundle of its
 * own: it goes on whatever becomes of the shell. Its commands are {@code matrix:begin}, {@code
 * matrix:done} and {@code matrix:end}.
 */
public final class MatrixLoad {
  private static final int TIMEOUT_MS = 60_000;
  private static final int PINGS = 20;

  /** When a frame that may be lost is sent again. */
  private static final int AGAIN_MS = 200;

  private static final int PING_BYTES = 1400;
  private static final int PING_INTERVAL_MS = 1;
  private static final int RANDOM_BYTES = 500;
  private static final long READ_EVERY_NS = 1_000_000;

  /** Requests of the disk that are outstanding at once. */
  private static final int DEPTH = 8;

  private static final long FIO_MS = 150;

  private final BundleContext context;
  private List<Worker> workers = List.of();

  MatrixLoad(final BundleContext context) {
    this.context = context;
  }

  /**
   * Starts load on devices with these names in the guest.
   *
   * @param lossy whether the network may lose frames: they are sent again then, and counted
   */
  public void begin(
      final String disk,
      final String sender,
      final String receiver,
      final String source,
      final boolean lossy) {
    workers =
        List.of(
            new Worker("blk", () -> transfer(disk)),
            new Worker("net", () -> ping(sender, receiver, lossy)),
            new Worker("net", () -> ping(receiver, sender, lossy)),
            new Worker("rng", () -> read(source)));
    workers.forEach(Thread::start);
  }

  /** How much each has done. */
  public String done() {
    return String.join(" ", workers.stream().map(each -> String.valueOf(each.total.done)).toList());
  }

  /** Ends it and says what it found, a line for each. */
  public String end() throws InterruptedException {
    for (final Worker worker : workers) {
      worker.ending = true;
    }
    final StringBuilder found = new StringBuilder();
    for (final Worker worker : workers) {
      worker.join(2L * TIMEOUT_MS);
      found.append(worker.found()).append('\n');
    }
    workers = List.of();
    return found.toString();
  }

  /**
   * What a piece of work found.
   *
   * @param done requests, answers or reads
   * @param corrupt how many of them were wrong
   * @param lost how many did not come
   * @param again frames that were sent again
   * @param pauseMs longest time that one took, or that was between two
   */
  record Found(long done, long corrupt, long lost, long again, double pauseMs) {
    private static final Found NOTHING = new Found(0, 0, 0, 0, 0);

    private Found plus(final Found more) {
      return new Found(
          done + more.done,
          corrupt + more.corrupt,
          lost + more.lost,
          again + more.again,
          Math.max(pauseMs, more.pauseMs));
    }
  }

  /** A piece of work. */
  private interface Work {
    Found run() throws Exception;
  }

  private Found transfer(final String disk) throws InterruptedException {
    final FioResult result = service(Fio.class).run(job(disk), FioProgress.SILENT);
    return new Found(
        result.requests(), result.corruptBlocks(), result.lostRequests(), 0, result.maxPauseMs());
  }

  private static FioJob job(final String disk) {
    return new FioJob(disk, "randrw", 4096, DEPTH, 1, 0, 0, FIO_MS, true, true, 50, 1);
  }

  private Found ping(final String from, final String to, final boolean lossy)
      throws InterruptedException {
    final Network network = service(Network.class);
    if (!lossy) {
      final Network.PingResult result =
          network.ping(
              new Network.PingJob(from, to, PINGS, PING_BYTES, PING_INTERVAL_MS, TIMEOUT_MS));
      return new Found(result.received(), result.corrupt(), result.lost(), 0, result.maxUs() / 1e3);
    }
    final Network.PingJob job =
        new Network.PingJob(from, to, 1, PING_BYTES, PING_INTERVAL_MS, AGAIN_MS);
    final long start = System.nanoTime();
    long again = 0;
    Network.PingResult result = network.ping(job);
    while (result.lost() > 0
        && result.corrupt() == 0
        && System.nanoTime() - start < TIMEOUT_MS * 1_000_000L) {
      again++;
      result = network.ping(job);
    }
    LockSupport.parkNanos(PING_INTERVAL_MS * 1_000_000L);
    return new Found(
        result.received(),
        result.corrupt(),
        result.lost(),
        again,
        (System.nanoTime() - start) / 1e6);
  }

  private Found read(final String name) {
    final Entropy source =
        service(GuestKernel.class).entropySources().stream()
            .filter(each -> each.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no source " + name));
    final byte[] bytes = new byte[RANDOM_BYTES];
    LockSupport.parkNanos(READ_EVERY_NS);
    final long start = System.nanoTime();
    source.read(bytes, Duration.ofMillis(TIMEOUT_MS));
    // 20 random bytes at the end are not all zero: what was not written would be
    final byte[] tail = Arrays.copyOfRange(bytes, RANDOM_BYTES - 20, RANDOM_BYTES);
    return new Found(
        1, Arrays.equals(tail, new byte[20]) ? 1 : 0, 0, 0, (System.nanoTime() - start) / 1e6);
  }

  private <T> T service(final Class<T> type) {
    final ServiceReference<T> reference = context.getServiceReference(type);
    final T service = reference == null ? null : context.getService(reference);
    if (service == null) {
      throw new IllegalStateException("no " + type.getName());
    }
    return service;
  }

  /** Does a piece of work again and again, until it is told to end or something is wrong. */
  private static final class Worker extends Thread {
    private final String kind;
    private final Work work;
    private volatile boolean ending;
    private volatile Found total = Found.NOTHING;
    private volatile String trouble = "";

    Worker(final String kind, final Work work) {
      super("matrix-" + kind);
      setDaemon(true);
      this.kind = kind;
      this.work = work;
    }

    @Override
    public void run() {
      try {
        while (!ending && total.corrupt == 0 && total.lost == 0) {
          total = total.plus(work.run());
        }
      } catch (final Exception e) {
        failed(e.toString());
      }
    }

    private void failed(final String how) {
      trouble = how;
      total = total.plus(new Found(0, 0, 1, 0, 0));
    }

    String found() {
      if (isAlive()) {
        failed("does not end: " + Arrays.toString(getStackTrace()));
      }
      final Found all = total;
      return String.join(
          " ",
          kind,
          String.valueOf(all.done),
          String.valueOf(all.corrupt),
          String.valueOf(all.lost),
          String.valueOf(all.again),
          String.valueOf(all.pauseMs),
          trouble);
    }
  }
}
