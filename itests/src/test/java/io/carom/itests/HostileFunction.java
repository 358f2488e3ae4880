package io.carom.itests;

import io.carom.memory.PhysicalLayout;
import io.carom.memory.SystemBus;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/** A function that no driver knows, and that reads and writes wherever a test tells it to. */
final class HostileFunction implements PciFunction, AutoCloseable {
  private static final int RED_HAT = 0x1b36;
  private static final int TEST_DEVICE = 0x0005; // no driver binds to it
  private static final int OTHER = 0xff0000;
  private static final int MASTER = 1 << 2;

  private final ServiceRegistration<PciFunction> registration;
  private final CountDownLatch plugged = new CountDownLatch(1);
  private volatile @Nullable PciAttachment attachment;

  /** Plugs it. */
  HostileFunction(final BundleContext context) throws InterruptedException {
    registration =
        context.registerService(
            PciFunction.class, this, FrameworkUtil.asDictionary(Map.of(NAME, "hostile")));
    if (!plugged.await(Await.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException("not plugged");
    }
  }

  /** Lets it master the bus, as a driver that is fooled would; after the guest has found it. */
  void master(final SystemBus bus) {
    final long command =
        PhysicalLayout.ECAM_BASE
            + attached().address().ecamOffset()
            + ConfigSpaceDescriptor.COMMAND;
    bus.write(command, 2, bus.read(command, 2) | MASTER);
  }

  /** The IOMMU's name for it. */
  String port() {
    return attached().address().toString();
  }

  /** The guest's name for it. */
  String device() {
    return attached().address().withDomain();
  }

  /**
   * Reads a word.
   *
   * @return the word, or null when the access faulted
   */
  @Nullable Integer read(final long address) {
    return access(address, BusAccess.READ, memory -> memory.get(ValueLayout.JAVA_INT, 0));
  }

  /**
   * Writes a word.
   *
   * @return whether it was written
   */
  boolean write(final long address, final int word) {
    final Integer written =
        access(
            address,
            BusAccess.WRITE,
            memory -> {
              memory.set(ValueLayout.JAVA_INT, 0, word);
              return word;
            });
    return written != null;
  }

  /** What is done to the memory of an address. */
  private interface Use {
    int of(MemorySegment memory);
  }

  private @Nullable Integer access(final long address, final BusAccess access, final Use use) {
    try (BusSession session = attached().port().open()) {
      if (session.begin() < 0) {
        throw new IllegalStateException("the port is revoked");
      }
      try {
        return use.of(session.resolve(address, Integer.BYTES, access));
      } catch (final BusFaultException e) {
        return null;
      } finally {
        session.end();
      }
    }
  }

  private PciAttachment attached() {
    final PciAttachment now = attachment;
    if (now == null) {
      throw new IllegalStateException("not plugged");
    }
    return now;
  }

  @Override
  public PciFunctionSpec spec() {
    return new PciFunctionSpec(
        RED_HAT, TEST_DEVICE, 0, OTHER, RED_HAT, TEST_DEVICE, 0, List.of(), List.of(), null);
  }

  @Override
  public void plugged(final PciAttachment to) {
    attachment = to;
    plugged.countDown();
  }

  @Override
  public void unplugged() {
    attachment = null;
  }

  @Override
  public long read(final int bar, final long offset, final int width) {
    return -1;
  }

  @Override
  public void write(final int bar, final long offset, final int width, final long value) {}

  /** Takes it out. */
  @Override
  public void close() {
    registration.unregister();
  }
}
