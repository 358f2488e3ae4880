package io.carom.itests;

import io.carom.dma.Dma;
import io.carom.guest.Fio;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;

/**
 * A bundle with {@link HeldBuffers} for tests outside of the container, as the commands {@code
 * held:hold}, {@code held:bounced}, {@code held:check} and {@code held:live}, and with load that
 * needs no shell, {@code held:load} and {@code held:end}. It is a guest driver: nothing that
 * happens to the bundles of strategies may restart it.
 */
public final class HoldingActivator implements BundleActivator {
  private static final long RUN_MS = 300;

  private @Nullable HeldBuffers held;

  /** For the framework. */
  public HoldingActivator() {}

  @Override
  public void start(final BundleContext context) {
    held =
        new HeldBuffers(
            "held",
            service(context, Dma.class),
            service(context, PageAllocator.class),
            service(context, GuestMemory.class));
    context.registerService(
        Held.class,
        new Held(held, service(context, Fio.class)),
        FrameworkUtil.asDictionary(
            Map.of(
                "osgi.command.scope",
                "held",
                "osgi.command.function",
                new String[] {"hold", "bounced", "check", "live", "misuse", "load", "end"})));
  }

  @Override
  public void stop(final BundleContext context) {
    final HeldBuffers mine = held;
    if (mine != null) {
      mine.close();
    }
  }

  private static <T> T service(final BundleContext context, final Class<T> type) {
    final var reference = context.getServiceReference(type);
    if (reference == null) {
      throw new IllegalStateException("no " + type.getName());
    }
    return context.getService(reference);
  }

  /** The commands. */
  public static final class Held {
    private final HeldBuffers held;
    private final Fio fio;
    private volatile boolean stopping;
    private FutureTask<String> load = new FutureTask<>(() -> "none");

    Held(final HeldBuffers held, final Fio fio) {
      this.held = held;
      this.fio = fio;
    }

    /** Maps more buffers and keeps them mapped. */
    public void hold(final int count) {
      held.map(count);
    }

    /** How many of them are bounced. */
    public long bounced() {
      return held.bounced();
    }

    /** Lets the device write to all of them and unmaps them; how many were wrong. */
    public int check() {
      return held.writeAndUnmap();
    }

    /** Breaks a rule of the DMA API. */
    public void misuse() {
      held.misuse();
    }

    /** How many live. */
    public long live() {
      return held.live();
    }

    /** Starts verified load on a disk. */
    public void load(final String disk) {
      stopping = false;
      load = new FutureTask<>(() -> work(disk));
      new Thread(load, "held-load").start();
    }

    /** Ends the load and says what it found. */
    public String end() throws Exception {
      stopping = true;
      return load.get();
    }

    private String work(final String disk) throws InterruptedException {
      final FioJob job = FioJob.of(disk, "randrw").forMillis(RUN_MS);
      long verified = 0;
      long corrupt = 0;
      long lost = 0;
      do {
        final FioResult result = fio.run(job, FioProgress.SILENT);
        verified += result.verifiedBytes();
        corrupt += result.corruptBlocks();
        lost += result.lostRequests();
      } while (!stopping && lost == 0);
      return (verified > 0 ? "verified" : "nothing verified")
          + ", "
          + corrupt
          + " corrupt, "
          + lost
          + " lost";
    }
  }
}
