package io.carom.virtio.device.queue;

import io.carom.virtio.RingRecord;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Publishes and keeps nothing: for queues whose positions nobody asks for. */
final class PlainRingRecord implements RingRecord {
  static final RingRecord INSTANCE = new PlainRingRecord();

  private static final VarHandle SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private PlainRingRecord() {}

  @Override
  public void popped(final int head, final int nextAvail) {}

  @Override
  public void rewound(final int chains, final int nextAvail) {}

  @Override
  public boolean publishIndex(
      final MemorySegment used,
      final long offset,
      final short index,
      final int chains,
      final int nextUsed) {
    SHORT.setRelease(used, offset, index);
    return true;
  }

  @Override
  public boolean publishWord(
      final MemorySegment ring,
      final long offset,
      final long word,
      final int chains,
      final int nextUsed) {
    LONG.setRelease(ring, offset, word);
    return true;
  }
}
