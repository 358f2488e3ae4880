package io.carom.virtio.device.console;

import static io.carom.virtio.device.kit.Driver.WRITE;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A driver of a console, step by step, with a ring and a buffer page for each queue. */
final class ConsoleGuest {
  static final int QUEUE_SIZE = 16;
  static final int BUFFER_BYTES = 256;
  static final int CONFIG = 0x2000;
  private static final long RINGS = 0x100000;
  private static final long BUFFERS = 0x300000;
  private static final long PAGE = 0x1000;

  final ConsoleDevice device;
  final Driver driver;
  final List<DriverQueue> queues = new ArrayList<>();
  private final List<Integer> seen = new ArrayList<>();
  private final List<Integer> offers = new ArrayList<>();
  private int starts;

  ConsoleGuest(final int maxPorts, final String... names) {
    this(
        new ConsoleDevice(
            new ConsoleOptions("con0", maxPorts, List.of(names), 80, 25, QUEUE_SIZE, BUFFER_BYTES),
            Disks.quiet(),
            false));
  }

  ConsoleGuest(final ConsoleDevice device) {
    this.device = device;
    driver =
        new Driver(
            new VirtioFunctionBuilder("con0", device)
                .workers(WorkerOptions.manual())
                .errors(Disks.quiet())
                .build(),
            new FakeBus(0));
  }

  /** A guest with all features, ready. */
  static ConsoleGuest started(final int maxPorts, final String... names) {
    final ConsoleGuest guest = new ConsoleGuest(maxPorts, names);
    guest.start(
        VirtioFeatures.CONSOLE_SIZE
            | (maxPorts > 1 ? VirtioFeatures.CONSOLE_MULTIPORT : 0)
            | VirtioFeatures.CONSOLE_EMERG_WRITE);
    return guest;
  }

  void start(final long features) {
    if (!driver.negotiate(features)) {
      throw new AssertionError("FEATURES_OK was refused");
    }
    queues.clear();
    seen.clear();
    offers.clear();
    driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    for (int i = 0; i < device.queues(); i++) {
      // other rings after each reset, so that none begins with old indices
      final DriverQueue queue =
          new DriverQueue(
              driver.bus,
              QUEUE_SIZE,
              RINGS + (starts * 64L + i) * PAGE,
              RINGS + (starts * 64L + i) * PAGE + 0x400,
              RINGS + (starts * 64L + i) * PAGE + 0x800);
      queues.add(queue);
      seen.add(0);
      offers.add(0);
      driver.enable(i, queue);
    }
    starts++;
    driver.ready();
  }

  static long buffer(final int queue) {
    return BUFFERS + queue * PAGE;
  }

  /** Whether all buffers of a queue came back. */
  boolean idle(final int queue) {
    return queues.get(queue).usedIndex() == (offers.get(queue) & 0xffff);
  }

  private void offer(final int queue) {
    offers.set(queue, offers.get(queue) + 1);
    queues.get(queue).offer(0);
    driver.kick(queue);
  }

  /** Makes one buffer available on a queue, and rings. */
  void post(final int queue, final int length) {
    queues.get(queue).desc(0, buffer(queue), length, WRITE, 0);
    offer(queue);
  }

  /** Transmits bytes in one buffer. */
  void transmit(final int queue, final byte[] bytes) {
    driver.bytes(buffer(queue), bytes);
    queues.get(queue).desc(0, buffer(queue), bytes.length, 0, 0);
    offer(queue);
  }

  void transmit(final int queue, final String text) {
    transmit(queue, text.getBytes(StandardCharsets.UTF_8));
  }

  void control(final int port, final int event, final int value) {
    transmit(ConsoleDescriptor.CONTROL_TRANSMIT, ControlMessage.of(port, event, value));
  }

  /** Whether the buffer of a queue came back since the last time that was asked. */
  boolean used(final int queue) {
    final int index = queues.get(queue).usedIndex();
    final boolean used = seen.get(queue) != index;
    if (used) {
      seen.set(queue, seen.get(queue) + 1);
    }
    return used;
  }

  /** Gives a buffer and takes what was put into it; null for nothing. */
  byte[] receive(final int queue, final int length) {
    post(queue, length);
    return received(queue);
  }

  byte[] received(final int queue) {
    if (!used(queue)) {
      throw new AssertionError("nothing on queue " + queue);
    }
    return driver.bytes(buffer(queue), queues.get(queue).usedLength(seen.get(queue) - 1));
  }

  /** The next control message of the device. */
  byte[] message() {
    return receive(ConsoleDescriptor.CONTROL_RECEIVE, 128);
  }

  /** Goes all the way to an open port. */
  void open(final int port) {
    control(port, ConsoleDescriptor.PORT_READY, 1);
    control(port, ConsoleDescriptor.PORT_OPEN, 1);
  }
}
