package io.carom.virtio.device.kit;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.model.ModelDevice;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * An {@link EchoModel} and its driver, with a queue of its own for each of the model's; requests of
 * several bytes, whose answers are compared.
 */
public final class EchoRig {
  public static final long DATA = 0x100000;
  public static final int LENGTH = 16;
  private static final int SLOT = 0x100;
  private static final int NOTIFY = 0x3000;

  public final EchoModel model = new EchoModel();
  public final FakeBus bus;
  public final Driver driver;
  public final DriverQueue[] queues = new DriverQueue[3];
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private int sent;

  public EchoRig(final WorkerOptions options) {
    this(new FakeBus(0), options, builder -> builder);
  }

  public EchoRig(
      final FakeBus bus,
      final WorkerOptions options,
      final UnaryOperator<VirtioFunctionBuilder> more) {
    this.bus = bus;
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new DriverQueue(bus, 16, 0x10000L * (i + 1));
    }
    driver = new Driver(function(model, options, more), bus);
  }

  public static VirtioPciFunction function(
      final EchoModel model,
      final WorkerOptions options,
      final UnaryOperator<VirtioFunctionBuilder> more) {
    return more.apply(
            new VirtioFunctionBuilder("echo0", new ModelDevice(model, "bundle test"))
                .workers(options)
                .errors(Disks.quiet()))
        .build();
  }

  /** Negotiates, enables all queues, and is ready. */
  public EchoRig start(final long features) {
    if (!driver.negotiate(features | VirtioFeatures.ACCESS_PLATFORM)) {
      throw new AssertionError(driver.function.info().lastError());
    }
    driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    for (int i = 0; i < queues.length; i++) {
      driver.enable(i, queues[i]);
    }
    driver.ready();
    return this;
  }

  /** Puts a request into a queue's slot; which bytes its answer is to have. */
  public byte[] offer(final int queue, final int slot) {
    final byte[] request = new byte[LENGTH];
    final byte[] answer = new byte[LENGTH];
    sent++;
    for (int i = 0; i < LENGTH; i++) {
      request[i] = (byte) (sent + i);
      answer[i] = (byte) (request[i] + 1);
    }
    final long at = at(queue, slot);
    driver.bytes(at, request);
    driver.bytes(at + LENGTH, new byte[LENGTH]);
    queues[queue].desc(2 * slot, at, LENGTH, NEXT, 2 * slot + 1);
    queues[queue].desc(2 * slot + 1, at + LENGTH, LENGTH, WRITE, 0);
    queues[queue].offer(2 * slot);
    return answer;
  }

  /** Puts an empty buffer into a queue's slot. */
  public void offerBuffer(final int queue, final int slot) {
    queues[queue].desc(2 * slot, at(queue, slot) + LENGTH, LENGTH, WRITE, 0);
    queues[queue].offer(2 * slot);
  }

  public byte[] answer(final int queue, final int slot) {
    return driver.bytes(at(queue, slot) + LENGTH, LENGTH);
  }

  private static long at(final int queue, final int slot) {
    return DATA + SLOT * (16L * queue + slot);
  }

  /** Writes a doorbell of any width and value. */
  public void ring(final int queue, final int width, final long value) {
    driver.set(NOTIFY + 4 * queue, width, value);
  }

  /** Has the next requests wait inside their handler until {@link #release}. */
  public void block() {
    model.before =
        request -> {
          entered.countDown();
          try {
            released.await();
          } catch (final InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
  }

  /** Waits until a request is inside its handler. */
  public void awaitInside() {
    await("a request inside", () -> entered.getCount() == 0);
  }

  public void release() {
    released.countDown();
  }

  public static void await(final String what, final BooleanSupplier condition) {
    final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(300);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within 300 s: " + what);
      }
      Thread.yield();
    }
  }
}
