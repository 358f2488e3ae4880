package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;

/** An entropy device written for tests: its bytes count up. */
public final class FakeRng extends FakeVirtio {
  /** What the device does with buffers. */
  public enum Conduct {
    /** Fills them, and says so. */
    HONEST,
    /** Fills them, and says that it wrote half. */
    HALF,
    /** Writes one byte. */
    ONE_BYTE,
    /** Keeps them. */
    SILENT,
    /** Returns them empty. */
    EMPTY,
    /** Claims to have written more than there is room for. */
    LENGTH_TOO_LONG,
    /** Names an id that the ring does not have. */
    ID_OUT_OF_RANGE,
    /** Moves the used index past what it was given. */
    INDEX_JUMP,
    /** Asks for a reset. */
    NEEDS_RESET
  }

  /** What it does. */
  public volatile Conduct conduct = Conduct.HONEST;

  /** Buffers seen. */
  public final AtomicInteger asked = new AtomicInteger();

  private int next;

  public FakeRng(final FakeMsi msi, final GuestMemory memory) {
    super(msi, memory, VirtioIds.TYPE_ENTROPY, 0x00ff00, 1, 8, 1);
    offered = VirtioFeatures.VERSION_1 | VirtioFeatures.INDIRECT_DESC;
  }

  @Override
  byte[] deviceConfig() {
    return new byte[1];
  }

  /** Serves what it kept. */
  public void serve() {
    kicked(0);
  }

  @Override
  synchronized void kicked(final int number) {
    final Queue queue = queues[0];
    if (conduct == Conduct.SILENT) {
      return;
    }
    int head = pop(queue);
    while (head >= 0) {
      asked.incrementAndGet();
      final MemorySegment buffer = buffer(queue, head);
      final int room = (int) buffer.byteSize();
      for (int i = 0; i < room; i++) {
        buffer.set(ValueLayout.JAVA_BYTE, i, (byte) (next + i));
      }
      final int given =
          switch (conduct) {
            case HALF -> (room + 1) / 2;
            case ONE_BYTE -> 1;
            case EMPTY -> 0;
            case LENGTH_TOO_LONG -> room + 1;
            default -> room;
          };
      next += given;
      switch (conduct) {
        case ID_OUT_OF_RANGE -> finish(queue, 2 * queue.size, given);
        case INDEX_JUMP -> {
          queue.used = queue.used + 100 & 0xffff;
          finish(queue, head, given);
        }
        case NEEDS_RESET -> needsReset();
        default -> finish(queue, head, given);
      }
      head = pop(queue);
    }
  }
}
