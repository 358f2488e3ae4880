package io.carom.itests;

import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;

/** A bundle with a function that throws or hangs in every call while {@link Switches} are on. */
public final class BadFunctionActivator implements BundleActivator {
  private static final long NAP_NS = 1_000_000;

  /** For the framework. */
  public BadFunctionActivator() {}

  @Override
  public void start(final BundleContext context) {
    context.registerService(
        PciFunction.class,
        new Bad(),
        FrameworkUtil.asDictionary(Map.of(PciFunction.NAME, "bad", PciFunction.KEEP, true)));
  }

  @Override
  public void stop(final BundleContext context) {}

  /** The function. */
  private static final class Bad implements PciFunction {
    private static final PciFunctionSpec SPEC =
        new PciFunctionSpec(
            0x1b36, 0x0005, 0, 0xff0000, 0x1af4, 0x1100, 0, List.of(), List.of(), null);

    private static void misbehave() {
      while (Boolean.getBoolean("carom.itests.hang")) {
        LockSupport.parkNanos(NAP_NS);
      }
      if (Boolean.getBoolean("carom.itests.throw")) {
        throw new IllegalStateException("thrown by a test");
      }
    }

    @Override
    public PciFunctionSpec spec() {
      return SPEC;
    }

    @Override
    public void plugged(final PciAttachment attachment) {
      misbehave();
    }

    @Override
    public void unplugged() {
      misbehave();
    }

    @Override
    public long read(final int bar, final long offset, final int width) {
      misbehave();
      return 0;
    }

    @Override
    public void write(final int bar, final long offset, final int width, final long value) {
      misbehave();
    }
  }
}
