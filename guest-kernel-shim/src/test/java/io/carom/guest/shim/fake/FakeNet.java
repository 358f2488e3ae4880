package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A virtio network device of one pair, written for tests: takes what is sent unless it is to be
 * silent, and brings whatever a test makes up, right or wrong. Serves on its callers' threads.
 */
public final class FakeNet extends FakeVirtio {
  public static final long MAC = 0x02_00_00_00_00_77L;
  private static final int RX = 0;
  private static final int TX = 1;

  /** Packets that the driver has sent, with their headers. */
  public final List<byte[]> sent = new CopyOnWriteArrayList<>();

  /** Whether it takes nothing that is sent. */
  public volatile boolean silent;

  /** The MTU that it names. */
  public volatile int mtu = 1500;

  public FakeNet(final FakeMsi msi, final GuestMemory memory, final int queueSize) {
    super(msi, memory, VirtioIds.TYPE_NET, 0x020000, 2, queueSize, NetDescriptor.CONFIG_SIZE);
    offered =
        VirtioFeatures.VERSION_1
            | VirtioFeatures.ACCESS_PLATFORM
            | VirtioFeatures.NET_MAC
            | VirtioFeatures.NET_MTU
            | VirtioFeatures.NET_STATUS
            | VirtioFeatures.NET_MRG_RXBUF
            | VirtioFeatures.NET_GUEST_CSUM;
  }

  @Override
  byte[] deviceConfig() {
    final byte[] config = new byte[NetDescriptor.CONFIG_SIZE];
    for (int i = 0; i < NetDescriptor.MAC_BYTES; i++) {
      config[i] = (byte) (MAC >>> (8 * (NetDescriptor.MAC_BYTES - 1 - i)));
    }
    config[NetDescriptor.CONFIG_STATUS] = NetDescriptor.S_LINK_UP;
    config[NetDescriptor.CONFIG_MTU] = (byte) mtu;
    config[NetDescriptor.CONFIG_MTU + 1] = (byte) (mtu >>> 8);
    return config;
  }

  @Override
  void kicked(final int queue) {
    if (queue == TX && !silent) {
      serve();
    }
  }

  /** Takes what the driver has sent. */
  public synchronized void serve() {
    final Queue queue = queues[TX];
    if (!queue.enabled) {
      return;
    }
    final MemorySegment table = dma(queue.desc, SplitRingDescriptor.descBytes(queue.size));
    final MemorySegment avail = dma(queue.driver, SplitRingDescriptor.availBytes(queue.size));
    final MemorySegment used = dma(queue.device, SplitRingDescriptor.usedBytes(queue.size));
    boolean any = false;
    while (queue.last != index(avail)) {
      final int head = head(avail, queue);
      sent.add(
          dma(descAddress(table, head), descLength(table, head)).toArray(ValueLayout.JAVA_BYTE));
      use(queue, used, head, 0);
      any = true;
    }
    if (any && queue.vector != CommonCfgDescriptor.NO_VECTOR) {
      raise(msi, queue.vector);
    }
  }

  private static int head(final MemorySegment avail, final Queue queue) {
    final int head =
        avail.get(U16, SplitRingDescriptor.availEntry(queue.last & (queue.size - 1))) & 0xffff;
    queue.last = queue.last + 1 & 0xffff;
    return head;
  }

  /** Receive buffers that the driver has given and that were not used. */
  public synchronized int buffers() {
    final Queue queue = queues[RX];
    return queue.enabled
        ? index(dma(queue.driver, SplitRingDescriptor.availBytes(queue.size))) - queue.last & 0xffff
        : 0;
  }

  /**
   * Puts bytes into the next receive buffer and uses it.
   *
   * @param claimed the written length that it claims
   */
  public synchronized void bring(final byte[] bytes, final long claimed) {
    final Queue queue = queues[RX];
    final MemorySegment table = dma(queue.desc, SplitRingDescriptor.descBytes(queue.size));
    final MemorySegment avail = dma(queue.driver, SplitRingDescriptor.availBytes(queue.size));
    final MemorySegment used = dma(queue.device, SplitRingDescriptor.usedBytes(queue.size));
    final int head = head(avail, queue);
    final MemorySegment buffer = dma(descAddress(table, head), descLength(table, head));
    MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
    use(queue, used, head, (int) claimed);
    raise(msi, queue.vector);
  }

  /** Uses an id of the receive queue, whatever it is. */
  public synchronized void useId(final int id) {
    final Queue queue = queues[RX];
    use(queue, dma(queue.device, SplitRingDescriptor.usedBytes(queue.size)), id, 0);
    raise(msi, queue.vector);
  }

  /** Whether it is being driven. */
  public synchronized boolean driven() {
    return queues[RX].enabled && queues[TX].enabled;
  }
}
