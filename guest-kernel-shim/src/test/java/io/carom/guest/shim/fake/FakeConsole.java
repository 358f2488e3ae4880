package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A console written for tests: a script tells it what to send; what the driver sends is kept. */
public final class FakeConsole extends FakeVirtio {
  private final byte[] structure = new byte[ConsoleDescriptor.CONFIG_SIZE];
  private final ByteArrayOutputStream[] written;
  private final ByteArrayOutputStream emergency = new ByteArrayOutputStream();

  /** Control messages of the driver, each as id, event, value. */
  public final List<List<Integer>> messages = new CopyOnWriteArrayList<>();

  /** Whether it leaves what the driver transmits in the ring. */
  public volatile boolean deaf;

  /** What it names instead of an id on the next transmitted chain, or -1. */
  public volatile int wrongId = -1;

  public FakeConsole(final FakeMsi msi, final GuestMemory memory, final int ports) {
    super(
        msi,
        memory,
        VirtioIds.TYPE_CONSOLE,
        0x078000,
        ports == 1 ? 2 : 2 * ports + 2,
        16,
        ConsoleDescriptor.CONFIG_SIZE);
    offered =
        VirtioFeatures.VERSION_1
            | VirtioFeatures.INDIRECT_DESC
            | VirtioFeatures.CONSOLE_SIZE
            | VirtioFeatures.CONSOLE_EMERG_WRITE
            | (ports > 1 ? VirtioFeatures.CONSOLE_MULTIPORT : 0);
    structure[ConsoleDescriptor.CONFIG_MAX_PORTS] = (byte) ports;
    size(80, 25);
    written = new ByteArrayOutputStream[ports];
    for (int i = 0; i < ports; i++) {
      written[i] = new ByteArrayOutputStream();
    }
  }

  /** Sets columns and rows of the configuration. */
  public synchronized void size(final int columns, final int rows) {
    structure[ConsoleDescriptor.CONFIG_COLS] = (byte) columns;
    structure[ConsoleDescriptor.CONFIG_COLS + 1] = (byte) (columns >>> 8);
    structure[ConsoleDescriptor.CONFIG_ROWS] = (byte) rows;
    structure[ConsoleDescriptor.CONFIG_ROWS + 1] = (byte) (rows >>> 8);
  }

  @Override
  synchronized byte[] deviceConfig() {
    return structure.clone();
  }

  @Override
  void configWritten(final int offset, final int width, final long value) {
    if (offset == ConsoleDescriptor.CONFIG_EMERGENCY) {
      emergency.write((int) value);
    }
  }

  /** What came by emergency writes. */
  public String emergency() {
    return emergency.toString(StandardCharsets.UTF_8);
  }

  /** What the driver wrote to a port. */
  public synchronized String written(final int port) {
    return written[port].toString(StandardCharsets.UTF_8);
  }

  @Override
  synchronized void kicked(final int number) {
    if (deaf || number % 2 == 0) {
      return;
    }
    final Queue queue = queues[number];
    int head = pop(queue);
    while (head >= 0) {
      final byte[] bytes = buffer(queue, head).toArray(ValueLayout.JAVA_BYTE);
      if (number == ConsoleDescriptor.CONTROL_TRANSMIT) {
        messages.add(
            List.of(
                (int) FakeFunction.little(bytes, 0, 4),
                (int) FakeFunction.little(bytes, 4, 2),
                (int) FakeFunction.little(bytes, 6, 2)));
      } else {
        written[number == 1 ? 0 : (number - 3) / 2].writeBytes(bytes);
      }
      final int wrong = wrongId;
      wrongId = -1;
      finish(queue, wrong < 0 ? head : wrong, 0);
      head = pop(queue);
    }
  }

  /** Takes what was left in the rings. */
  public void listen() {
    deaf = false;
    for (int i = 1; i < queues.length; i += 2) {
      kicked(i);
    }
  }

  /** Sends bytes on a queue; false when the driver has no buffer there. */
  public synchronized boolean send(final int number, final byte[] bytes, final int claimed) {
    final Queue queue = queues[number];
    final int head = pop(queue);
    if (head < 0) {
      return false;
    }
    final MemorySegment buffer = buffer(queue, head);
    MemorySegment.copy(
        MemorySegment.ofArray(bytes), 0, buffer, 0, Math.min(bytes.length, buffer.byteSize()));
    finish(queue, head, claimed);
    return true;
  }

  /** Sends text to a port. */
  public boolean send(final int port, final String text) {
    final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return send(ConsoleDescriptor.receiveQueue(port), bytes, bytes.length);
  }

  /** Sends a control message. */
  public boolean control(
      final int port, final int event, final int value, final byte @Nullable ... more) {
    final byte[] tail = more == null ? new byte[0] : more;
    final byte[] bytes = new byte[8 + tail.length];
    for (int i = 0; i < 4; i++) {
      bytes[i] = (byte) (port >>> (8 * i));
    }
    bytes[4] = (byte) event;
    bytes[5] = (byte) (event >>> 8);
    bytes[6] = (byte) value;
    bytes[7] = (byte) (value >>> 8);
    System.arraycopy(tail, 0, bytes, 8, tail.length);
    return send(ConsoleDescriptor.CONTROL_RECEIVE, bytes, bytes.length);
  }
}
