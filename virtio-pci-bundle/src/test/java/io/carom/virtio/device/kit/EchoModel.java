package io.carom.virtio.device.kit;

import io.carom.virtio.VirtioModel;
import io.carom.virtio.VirtioModelContext;
import io.carom.virtio.VirtioRequest;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A model whose queue 0 is served at the doorbell, queue 1 takes events and queue 2 has a thread.
 * It answers a request with its bytes, each plus one; one of a single byte is no request to it.
 */
public final class EchoModel implements VirtioModel {
  public static final int DOORBELL = 0;
  public static final int EVENTS = 1;
  public static final int WORKER = 2;
  public static final int TYPE = 23;
  public static final int CLASS = 0x080600;
  public static final int QUEUE_SIZE = 64;
  public static final long FEATURE = 1L << 2;

  /** What it was told, in order; requests apart. */
  public final List<String> calls = new CopyOnWriteArrayList<>();

  public final AtomicInteger served = new AtomicInteger();
  public final AtomicInteger atOnce = new AtomicInteger();
  public volatile boolean overlapped;
  public volatile boolean translated = true;
  public volatile Consumer<VirtioRequest> before = request -> {};
  public volatile @Nullable String refusal;
  private volatile @Nullable VirtioModelContext context;

  public VirtioModelContext context() {
    final VirtioModelContext now = context;
    if (now == null) {
      throw new AssertionError("not plugged");
    }
    return now;
  }

  @Override
  public int type() {
    return TYPE;
  }

  @Override
  public String typeName() {
    return "echo";
  }

  @Override
  public int classCode() {
    return CLASS;
  }

  @Override
  public long features() {
    return FEATURE;
  }

  @Override
  public int queues() {
    return 3;
  }

  @Override
  public int queueSize() {
    return QUEUE_SIZE;
  }

  @Override
  public byte[] config() {
    return new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  }

  @Override
  public void configWritten(final int offset, final int width, final long value) {
    calls.add(String.format(Locale.ROOT, "written %d %d %x", offset, width, value));
  }

  @Override
  public @Nullable String refuse(final long accepted) {
    return refusal;
  }

  @Override
  public boolean translated() {
    return translated;
  }

  @Override
  public boolean servedAtDoorbell(final int queue) {
    return queue == DOORBELL;
  }

  @Override
  public boolean eventQueue(final int queue) {
    return queue == EVENTS;
  }

  @Override
  public void plugged(final VirtioModelContext to) {
    context = to;
    calls.add("plugged " + to.address());
  }

  @Override
  public Handler open(final int queue, final long accepted) {
    calls.add("open " + queue + " " + Long.toHexString(accepted & 0xffffff));
    return this::serve;
  }

  private void serve(final VirtioRequest request) {
    if (atOnce.incrementAndGet() != 1) {
      overlapped = true;
    }
    before.accept(request);
    final byte[] bytes = new byte[(int) Math.min(request.readable(), 1 << 20)];
    final int length = request.read(bytes);
    for (int i = 0; i < length; i++) {
      bytes[i]++;
    }
    if (length > 1) {
      request.write(bytes, (int) Math.min(length, request.writable()));
    }
    served.incrementAndGet();
    atOnce.decrementAndGet();
  }

  @Override
  public void resumed() {
    calls.add("resumed");
  }

  @Override
  public void reset() {
    calls.add("reset");
  }

  @Override
  public void unplugged() {
    calls.add("unplugged");
  }
}
