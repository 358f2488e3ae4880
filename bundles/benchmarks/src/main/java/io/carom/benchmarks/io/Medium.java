package io.carom.benchmarks.io;

import io.carom.dma.ScatterList;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** What a device keeps, and how it moves bytes between that and memory: as its port lets it. */
final class Medium {
  /** Twice what 64 requests of 128 KiB hold: what one of them wrote lasts for a lap. */
  static final long BYTES = 16L << 20;

  private final MemorySegment bytes = LazyMemory.allocate(BYTES);
  private final boolean write;

  /**
   * A medium with random contents.
   *
   * @param write whether requests write to it, else they read from it
   */
  Medium(final boolean write, final long seed) {
    this.write = write;
    final SplittableRandom random = new SplittableRandom(seed);
    for (long at = 0; at < BYTES; at += Long.BYTES) {
      bytes.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
  }

  MemorySegment bytes() {
    return bytes;
  }

  boolean write() {
    return write;
  }

  /**
   * Carries out a request, piece by piece as its runs lie behind the IOMMU.
   *
   * @throws IllegalStateException when the device may not reach the buffer; one line
   */
  void move(final BusSession session, final Request request) {
    if (session.begin() < 0) {
      throw new IllegalStateException("the port of the bench device is revoked");
    }
    try {
      final ScatterList list = request.list();
      long at = request.mediumOffset;
      for (int run = 0; run < list.mappedEntries(); run++) {
        move(session, list.busAddress(run), list.mappedLength(run), at);
        at += list.mappedLength(run);
      }
    } catch (final BusFaultException e) {
      throw new IllegalStateException("the bench device cannot reach a buffer: " + e.getMessage(), e);
    } finally {
      session.end();
    }
  }

  private void move(
      final BusSession session, final long bus, final long length, final long mediumOffset)
      throws BusFaultException {
    final BusAccess access = write ? BusAccess.READ : BusAccess.WRITE;
    long done = 0;
    while (done < length) {
      final long piece = session.contiguous(bus + done, length - done, access);
      final MemorySegment memory = session.resolve(bus + done, piece, access);
      if (write) {
        MemorySegment.copy(memory, 0, bytes, mediumOffset + done, piece);
      } else {
        MemorySegment.copy(bytes, mediumOffset + done, memory, 0, piece);
      }
      done += piece;
    }
  }
}
