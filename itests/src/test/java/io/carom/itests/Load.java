package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Verified reads and writes on a disk, as another user's shell would run them: workload after
 * workload in a thread of its own, until it is stopped.
 */
final class Load {
  private static final String WORKLOAD =
      " --rw=randrw --verify=crc32c --time_based --runtime=400ms --output-format=json";

  private final GuestKit kit;
  private final Disk disk;
  private final String line;
  private final FutureTask<Totals> task = new FutureTask<>(this::work);
  private volatile boolean stopping;

  /**
   * What all workloads found together.
   *
   * @param verifiedBytes bytes found right
   * @param corruptBlocks wrong blocks
   * @param lostRequests lost requests
   * @param requeues requeued requests
   * @param firstCorruption what was wrong first, empty for nothing
   */
  record Totals(
      long verifiedBytes,
      long corruptBlocks,
      long lostRequests,
      long requeues,
      String firstCorruption) {
    /** Asserts that bytes were checked, all of them were right, and no request was lost. */
    void assertIntact() {
      assertThat(corruptBlocks).as("corrupt blocks, the first: %s", firstCorruption).isZero();
      assertThat(lostRequests).as("lost requests").isZero();
      assertThat(verifiedBytes).as("verified bytes").isPositive();
    }

    private Totals plus(final JsonObject result) {
      final JsonElement first = result.get("firstCorruption");
      return new Totals(
          verifiedBytes + result.get("verifiedBytes").getAsLong(),
          corruptBlocks + result.get("corruptBlocks").getAsLong(),
          lostRequests + result.get("lostRequests").getAsLong(),
          requeues + result.get("requeues").getAsLong(),
          firstCorruption.isEmpty() && !first.isJsonNull() ? first.getAsString() : firstCorruption);
    }
  }

  Load(final GuestKit kit, final Disk disk, final String options) {
    this.kit = kit;
    this.disk = disk;
    line = "fio --device=" + disk.name() + WORKLOAD + " " + options;
  }

  Load start() {
    final Thread thread = new Thread(task, "load-" + disk.host());
    thread.setDaemon(true);
    thread.start();
    return this;
  }

  /** Waits until the device has served so many more requests. */
  void awaitRequests(final long more) throws Exception {
    final long before = requests();
    Await.until(
        more + " requests of " + disk,
        () -> {
          if (task.isDone()) {
            throw new AssertionError("the load has ended: " + result());
          }
          return requests() >= before + more;
        });
  }

  /** Lets the workload that runs come to its end, and says what all of them found. */
  Totals stop() throws Exception {
    stopping = true;
    return result();
  }

  /** Ends it, however; what was wrong with it, if anything, is another's concern. */
  void end() throws InterruptedException {
    stopping = true;
    try {
      task.get(2 * Await.LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      task.cancel(true);
    }
  }

  /** Waits for the end that something else brings about. */
  Totals result() throws Exception {
    try {
      return task.get(2 * Await.LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  private long requests() throws Exception {
    return kit.info(disk).get("requests").getAsLong();
  }

  private Totals work() throws Exception {
    Totals totals = new Totals(0, 0, 0, 0, "");
    do {
      totals = totals.plus(kit.carom().json(line));
    } while (!stopping && totals.lostRequests() == 0);
    return totals;
  }
}
