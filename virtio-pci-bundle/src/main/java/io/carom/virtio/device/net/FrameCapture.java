package io.carom.virtio.device.net;

import io.carom.virtio.device.type.ErrorLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Writes the frames of a device to a capture file, which is a new one for a new device; one that
 * goes on from a version of its code before adds a section to the file. Thread-safe.
 *
 * <p>Frames are laid into memory of a fixed size, from where a thread writes them: whoever sends or
 * receives waits for no disk. A frame that finds no room is missing in the file and counted, in its
 * last block too; so is every one after a write that failed, which is told once.
 */
public final class FrameCapture implements AutoCloseable {
  /** Longest part of a frame that can be asked for. */
  public static final int MOST_SNAP_BYTES = 262_144;

  /** Direction: to the guest. */
  static final int INBOUND = 1;

  /** Direction: from the guest. */
  static final int OUTBOUND = 2;

  private static final int BUFFER_BYTES = 1 << 20;
  private static final long FLUSH_NANOS = 200_000_000;
  private static final long JOIN_MILLIS = 2_000;

  private final Path path;
  private final int snapBytes;
  private final LongSupplier epochNanos;
  private final ErrorLog errors;
  private final FileChannel channel;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private ByteBuffer filling = Pcapng.buffer(BUFFER_BYTES); // guarded by the lock
  private ByteBuffer writing = Pcapng.buffer(BUFFER_BYTES); // the thread's
  private boolean begun; // guarded by the lock
  private boolean closed; // guarded by the lock
  private volatile boolean failed;
  private final AtomicLong frames = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();

  /**
   * Opens the file and starts the thread.
   *
   * @param snapBytes bytes of a frame that are kept, at most; 0 for all
   * @param epochNanos the time since 1970 in nanoseconds
   * @throws IOException when the file cannot be opened
   */
  public FrameCapture(
      final String device,
      final Path path,
      final int snapBytes,
      final LongSupplier epochNanos,
      final ErrorLog errors)
      throws IOException {
    this.path = path;
    this.snapBytes = snapBytes == 0 ? MOST_SNAP_BYTES : snapBytes;
    this.epochNanos = epochNanos;
    this.errors = errors;
    channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    Pcapng.section(filling);
    Pcapng.ethernet(filling, device, this.snapBytes);
    thread = Thread.ofPlatform().daemon().name("net " + device + " capture").start(this::run);
  }

  /** The time since 1970, with the steps of the fine clock. */
  public static LongSupplier wallClock() {
    final long base = System.currentTimeMillis() * 1_000_000L - System.nanoTime();
    return () -> base + System.nanoTime();
  }

  /**
   * Says, once, whether the device goes on or is a new one; the first frame says that it is new.
   *
   * @param goesOn whether what is in the file stays there
   */
  void begin(final boolean goesOn) {
    lock.lock();
    try {
      if (begun || closed) {
        return;
      }
      begun = true;
      if (goesOn) {
        channel.position(channel.size());
      } else if (channel.size() > 0) {
        channel.truncate(0);
      }
      work.signal();
    } catch (final IOException e) {
      fail(e);
    } finally {
      lock.unlock();
    }
  }

  /** Takes a frame. */
  void frame(final Frame frame, final int direction) {
    final int kept = Math.min(frame.length, snapBytes);
    begin(false);
    lock.lock();
    try {
      if (closed || failed || filling.remaining() < Pcapng.frameBytes(kept)) {
        dropped.incrementAndGet();
        return;
      }
      Pcapng.frame(filling, epochNanos.getAsLong(), frame.bytes, kept, frame.length, direction);
      frames.incrementAndGet();
      if (filling.position() > BUFFER_BYTES / 2) {
        work.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The file. */
  Path path() {
    return path;
  }

  /** Frames that were taken. */
  long frames() {
    return frames.get();
  }

  /** Frames that are missing. */
  long dropped() {
    return dropped.get();
  }

  private void run() {
    try (channel) {
      if (!awaitBegin()) {
        return; // of a device that was never plugged in: the file is as it was
      }
      while (flush()) {
        write(writing);
      }
      Pcapng.statistics(writing.clear(), epochNanos.getAsLong(), frames.get(), dropped.get());
      write(writing);
    } catch (final IOException e) {
      fail(e); // of closing it
    }
  }

  private boolean awaitBegin() {
    lock.lock();
    try {
      while (!begun && !closed) {
        await();
      }
      return begun;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for something to write; whether there may be more of it. */
  private boolean flush() {
    lock.lock();
    try {
      if (!closed && filling.position() <= BUFFER_BYTES / 2) {
        await();
      }
      final boolean more = !closed || filling.position() > 0;
      final ByteBuffer full = filling;
      filling = writing.clear();
      writing = full;
      return more;
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings("WaitNotInLoop") // waking without cause writes what there is, a little early
  private void await() {
    try {
      work.awaitNanos(FLUSH_NANOS);
    } catch (final InterruptedException e) {
      closed = true; // nobody interrupts this thread but a container that is going down
    }
  }

  private void write(final ByteBuffer bytes) {
    bytes.flip();
    if (failed) {
      return;
    }
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (final IOException e) {
      fail(e);
    }
  }

  private void fail(final IOException e) {
    if (!failed) {
      failed = true;
      errors.report("capture=" + path + " cannot be written, and misses frames from now on: " + e);
    }
  }

  /** Writes what was taken and ends the file; waits for the disk for a bounded time. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      work.signal();
    } finally {
      lock.unlock();
    }
    try {
      thread.join(JOIN_MILLIS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
