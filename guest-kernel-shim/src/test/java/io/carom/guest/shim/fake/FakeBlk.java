package io.carom.guest.shim.fake;

import io.carom.guest.shim.fake.DeviceRing.Buffer;
import io.carom.guest.shim.fake.DeviceRing.Chain;
import io.carom.memory.GuestMemory;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A virtio block device written for tests: answers from a thread of its own, honestly until it is
 * told otherwise.
 */
public final class FakeBlk extends FakeVirtio {
  private static final int REGION = 2;

  /** What the device does with requests. */
  public enum Conduct {
    /** Serves them. */
    HONEST,
    /** Answers OK without touching data. */
    NULL_DEVICE,
    /** Takes them and says nothing. */
    SILENT,
    /** Names an id that the ring does not have. */
    ID_OUT_OF_RANGE,
    /** Names an id that is not in flight. */
    ID_REPEATED,
    /** Claims to have written more than it was given room for. */
    LENGTH_TOO_LONG,
    /** Claims to have written less than it was asked for. */
    LENGTH_TOO_SHORT,
    /** Moves the used index past what it was given. */
    INDEX_JUMP,
    /** Says IOERR. */
    IO_ERROR,
    /** Leaves the status byte alone. */
    NO_STATUS,
    /** Asks for a reset. */
    NEEDS_RESET
  }

  private final MemorySegment disk;
  private final String serial;
  private final @Nullable MemorySegment region;
  private final Thread thread;

  /** Where in config space the capability of its region is. */
  public int regionCapability;

  private volatile boolean kicked;
  private volatile boolean stopped;

  /** What it does; GET_ID is always served. */
  public volatile Conduct conduct = Conduct.HONEST;

  /** The queue on which it does so; negative for all. */
  public volatile int misbehavingQueue = -1;

  /** Whether, with IN_ORDER, it returns requests in batches. */
  public volatile boolean batches;

  /** Requests served, by queue. */
  public final AtomicIntegerArray servedOf = new AtomicIntegerArray(64);

  private final List<Chain> batch = new ArrayList<>();

  /** Whether even GET_ID is not answered. */
  public volatile boolean mute;

  /** GET_ID requests seen. */
  public final AtomicInteger asked = new AtomicInteger();

  /** Ranges that were discarded or zeroed, as sector+number/flags. */
  public final java.util.List<String> ranges = new java.util.concurrent.CopyOnWriteArrayList<>();

  /** Capacity in sectors that it tells instead of the true one, if not 0. */
  public volatile long capacity;

  /** Its write cache, with CONFIG_WCE. */
  public volatile byte writeback;

  /** Largest segment, with SIZE_MAX. */
  public volatile int sizeMax;

  /** Requests served, GET_ID not among them. */
  public final AtomicInteger served = new AtomicInteger();

  /** Whether addresses are offsets in its region. */
  public volatile boolean offsets;

  /** The function whose region it shares. */
  public volatile @Nullable FakeBlk regionOf;

  /** Largest data segment seen. */
  public volatile int largestSegment;

  /** Interrupts sent. */
  public final AtomicInteger interrupts = new AtomicInteger();

  public FakeBlk(
      final FakeMsi msi,
      final GuestMemory memory,
      final String serial,
      final long bytes,
      final int queues,
      final int queueSize,
      final long regionBytes) {
    super(
        msi, memory, VirtioIds.TYPE_BLOCK, 0x010000, queues, queueSize, BlkDescriptor.CONFIG_SIZE);
    offered =
        VirtioFeatures.VERSION_1
            | VirtioFeatures.ACCESS_PLATFORM
            | VirtioFeatures.INDIRECT_DESC
            | VirtioFeatures.EVENT_IDX
            | VirtioFeatures.BLK_FLUSH
            | VirtioFeatures.BLK_MQ;
    this.serial = serial;
    disk = Arena.ofAuto().allocate(bytes, 4096);
    region = regionBytes == 0 ? null : Arena.ofAuto().allocate(regionBytes, 4096);
    if (regionBytes > 0) {
      bar(REGION, new Bar(regionBytes, true, true, region));
      regionCapability = cap(VirtioPciCapDescriptor.TYPE_SWIOTLB, REGION, 0, (int) regionBytes, 24);
    }
    thread = new Thread(this::run, "fake-blk");
    thread.setDaemon(true);
    thread.start();
  }

  /** The disk's bytes. */
  public MemorySegment disk() {
    return disk;
  }

  /** Ends the device's thread. */
  public void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  @Override
  byte[] deviceConfig() {
    final byte[] bytes = new byte[BlkDescriptor.CONFIG_SIZE];
    final MemorySegment config = MemorySegment.ofArray(bytes);
    config.set(U64, BlkDescriptor.CONFIG_CAPACITY, disk.byteSize() / 512);
    if (capacity != 0) {
      config.set(U64, BlkDescriptor.CONFIG_CAPACITY, capacity);
    }
    config.set(U32, BlkDescriptor.CONFIG_MAX_DISCARD_SECTORS, 64);
    config.set(U32, BlkDescriptor.CONFIG_MAX_ZEROES_SECTORS, 128);
    bytes[BlkDescriptor.CONFIG_PHYSICAL_BLOCK_EXP] = 3;
    bytes[BlkDescriptor.CONFIG_WRITEBACK] = writeback;
    config.set(U32, BlkDescriptor.CONFIG_SIZE_MAX, sizeMax);
    bytes[BlkDescriptor.CONFIG_NUM_QUEUES] = (byte) queues.length;
    return bytes;
  }

  @Override
  void kicked(final int queue) {
    kicked = true;
    LockSupport.unpark(thread);
  }

  @Override
  MemorySegment dma(final long address, final long length) {
    final FakeBlk owner = regionOf;
    if (owner != null && owner.regionHolds(address)) {
      return owner.dma(address, length);
    }
    if (region != null && offsets) {
      if (address == 0) {
        throw new AssertionError("W: offset 0 was published");
      }
      return region.asSlice(address, length);
    }
    if (region != null && regionHolds(address)) {
      return region.asSlice(address - base(REGION), length);
    }
    return super.dma(address, length);
  }

  private boolean regionHolds(final long address) {
    return region != null && address >= base(REGION) && address - base(REGION) < region.byteSize();
  }

  private void run() {
    while (!stopped) {
      kicked = false;
      boolean worked = false;
      for (int i = 0; i < queues.length; i++) {
        worked |= serve(i);
      }
      if (!worked && !kicked && !stopped) {
        LockSupport.park(this);
      }
    }
  }

  /** Serves what a queue holds. */
  private synchronized boolean serve(final int number) {
    final Queue queue = queues[number];
    if (!queue.enabled
        || (status & VirtioStatus.DRIVER_OK) == 0
        || (status & VirtioStatus.NEEDS_RESET) != 0) {
      return false;
    }
    final DeviceRing ring = queue.ring;
    if (ring == null) {
      return false;
    }
    ring.refuseKicks();
    boolean worked = false;
    @Nullable Chain chain = ring.pop();
    while (chain != null) {
      worked = true;
      chain(number, ring, chain);
      if ((status & VirtioStatus.NEEDS_RESET) != 0) {
        break;
      }
      chain = ring.pop();
    }
    flushBatch(ring);
    ring.wantKicks();
    if (ring.interruptWanted()) {
      interrupts.incrementAndGet();
      notifyDriver(queue.vector, CommonCfgDescriptor.ISR_QUEUE);
    }
    return worked || ring.available();
  }

  private void chain(final int number, final DeviceRing ring, final Chain chain) {
    final List<Buffer> buffers = chain.buffers();
    final MemorySegment header = dma(buffers.getFirst().address(), 16);
    final int type = header.get(U32, BlkDescriptor.REQUEST_TYPE);
    final long sector = header.get(U64, BlkDescriptor.REQUEST_SECTOR);
    @Nullable MemorySegment data = null;
    if (buffers.size() > 2) {
      final Buffer buffer = buffers.get(1);
      largestSegment = Math.max(largestSegment, buffer.length());
      data = dma(buffer.address(), buffer.length());
    }
    final MemorySegment answer = dma(buffers.getLast().address(), 1);
    if (type == BlkDescriptor.T_GET_ID && data != null) {
      asked.incrementAndGet();
      if (mute) {
        return;
      }
      final byte[] id = serial.getBytes(StandardCharsets.UTF_8);
      MemorySegment.copy(MemorySegment.ofArray(id), 0, data, 0, Math.min(20, id.length));
      answer.set(ValueLayout.JAVA_BYTE, 0, (byte) BlkDescriptor.S_OK);
      ring.use(chain, 21);
      return;
    }
    served.incrementAndGet();
    servedOf.incrementAndGet(number);
    misbehave(number, ring, chain, type, sector, data, answer);
  }

  /** Returns what an IN_ORDER device has put off. */
  private void flushBatch(final DeviceRing ring) {
    if (!batch.isEmpty()) {
      ring.useBatch(batch, batch.getLast().writable());
      batch.clear();
    }
  }

  private void misbehave(
      final int number,
      final DeviceRing ring,
      final Chain chain,
      final int type,
      final long sector,
      final @Nullable MemorySegment data,
      final MemorySegment answer) {
    final long room = chain.writable();
    final Conduct how =
        number == misbehavingQueue || misbehavingQueue < 0 ? conduct : Conduct.HONEST;
    switch (how) {
      case HONEST -> {
        if (data != null
            && (type == BlkDescriptor.T_DISCARD || type == BlkDescriptor.T_WRITE_ZEROES)) {
          ranges.add(data.get(U64, 0) + "+" + data.get(U32, 8) + "/" + data.get(U32, 12));
          disk.asSlice(data.get(U64, 0) * 512, data.get(U32, 8) * 512L).fill((byte) 0);
        } else if (data != null && type == BlkDescriptor.T_IN) {
          MemorySegment.copy(disk, sector * 512, data, 0, data.byteSize());
        } else if (data != null) {
          MemorySegment.copy(data, 0, disk, sector * 512, data.byteSize());
        }
        answer.set(ValueLayout.JAVA_BYTE, 0, (byte) BlkDescriptor.S_OK);
        if (has(VirtioFeatures.IN_ORDER) && batches) {
          batch.add(chain);
        } else {
          ring.use(chain, room);
        }
      }
      case NULL_DEVICE -> answer(ring, chain, answer, BlkDescriptor.S_OK, room);
      case SILENT -> {}
      case ID_OUT_OF_RANGE -> ring.raw(queues[number].size, room, 1);
      case ID_REPEATED -> {
        answer(ring, chain, answer, 0, room);
        // as if another chain had been used, but with the same id
        ring.raw(chain.id(), room, 1);
      }
      case LENGTH_TOO_LONG -> answer(ring, chain, answer, 0, room + 1);
      case LENGTH_TOO_SHORT -> answer(ring, chain, answer, 0, room - 1);
      case INDEX_JUMP -> ring.jump();
      case IO_ERROR -> answer(ring, chain, answer, BlkDescriptor.S_IOERR, room);
      case NO_STATUS -> ring.use(chain, room);
      case NEEDS_RESET -> needsReset();
    }
  }

  private static void answer(
      final DeviceRing ring,
      final Chain chain,
      final MemorySegment answer,
      final int status,
      final long length) {
    answer.set(ValueLayout.JAVA_BYTE, 0, (byte) status);
    ring.use(chain, length);
  }
}
