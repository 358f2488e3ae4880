package io.carom.machine.platform;

import io.carom.machine.ram.Ram;
import io.carom.memory.LazyMemory;
import io.carom.memory.Platform;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The stages of a machine in order, from the CPUs to the bus: offset or banks, encryption bit,
 * caches, write queue. A run passes them in that order on its way to the device and in the reverse
 * one on its way back.
 *
 * <p>It also says what the ports need to know: how a bus address becomes an offset in RAM, and which
 * memory devices see there. Caches and queue keep devices apart from CPUs, so with one of them
 * devices see an image of RAM, which is committed as it is touched, and which CPUs see as memory
 * that is not cached. The cipher lies between that image and the device.
 *
 * <p>Immutable but for what the stages hold. Thread-safe.
 */
public final class StagedPlatform implements Platform {
  private final Ram ram;
  private final Stage[] stages;
  private final long busOffset;
  private final boolean plain;
  private final MemorySegment deviceView;
  private final @Nullable EncryptionBit cipher;
  private final @Nullable CacheStage caches;
  private final @Nullable WriteQueue queue;

  private StagedPlatform(final Ram ram, final PlatformSettings settings, final boolean drained) {
    this.ram = ram;
    this.busOffset = settings.busOffset();
    final List<Stage> list = new ArrayList<>();
    list.add(settings.banks().isEmpty() ? new BusOffset(busOffset) : new BusBanks(settings.banks()));
    cipher =
        settings.encryptionBit() == 0
            ? null
            : new EncryptionBit(settings.encryptionBit(), ram.size());
    if (cipher != null) {
      list.add(cipher);
    }
    deviceView = settings.separate() ? LazyMemory.allocate(ram.size()) : ram.memory();
    queue =
        settings.writeQueueLines() == 0
            ? null
            : new WriteQueue(deviceView, settings.writeQueueLines());
    caches = settings.separate() ? caches(settings) : null;
    if (caches != null) {
      list.add(caches);
    }
    if (queue != null && drained) {
      list.add(queue);
    }
    stages = list.toArray(Stage[]::new);
    plain = stages.length == 1 && settings.banks().isEmpty();
  }

  private CacheStage caches(final PlatformSettings settings) {
    // All three views are zero to begin with, and so equal.
    return new CacheStage(
        ram.memory(),
        LazyMemory.allocate(ram.size()),
        queue == null ? LineMemory.direct(deviceView) : queue,
        settings);
  }

  /** The platform of a machine whose RAM nobody has touched yet. */
  public static StagedPlatform of(final Ram ram, final PlatformSettings settings) {
    return new StagedPlatform(ram, settings, true);
  }

  /** A broken one: nothing ever drains the write queue but itself. */
  static StagedPlatform undrained(final Ram ram, final PlatformSettings settings) {
    return new StagedPlatform(ram, settings, false);
  }

  @Override
  public boolean plain() {
    return plain;
  }

  @Override
  public boolean coherent() {
    return caches == null;
  }

  /** What devices add to addresses of RAM; 0 where it differs from bank to bank. */
  public long busOffset() {
    return busOffset;
  }

  @Override
  public long busAddress(final long address, final long size, final boolean shared) {
    final long offset = size < 1 ? -1 : ram.offset(address, size);
    long at = offset < 0 ? -1 : address;
    for (int i = 0; i < stages.length && at >= 0; i++) {
      at = stages[i].toBus(at, offset, size, shared);
    }
    return at;
  }

  @Override
  public long physicalAddress(final long busAddress, final long size) {
    return offset(busAddress, size) < 0 ? -1 : physical(busAddress, size);
  }

  /** The offset in RAM of a run of bus addresses, or -1 when it is not all RAM of one bank. */
  public long offset(final long busAddress, final long size) {
    return ram.offset(plain ? busAddress - busOffset : physical(busAddress, size), size);
  }

  private long physical(final long busAddress, final long size) {
    long at = busAddress;
    for (int i = stages.length - 1; i >= 0; i--) {
      at = stages[i].toPhysical(at, size);
    }
    return at;
  }

  @Override
  public void forDevice(
      final long address, final long size, final boolean deviceReads, final boolean deviceWrites) {
    if (caches == null) {
      return;
    }
    final long offset = run(address, size);
    for (final Stage stage : stages) {
      stage.forDevice(offset, size, deviceReads, deviceWrites);
    }
    drain(); // once, when all that is written back is on its way
  }

  @Override
  public void forCpu(final long address, final long size, final boolean deviceWrote) {
    if (caches == null) {
      return;
    }
    final long offset = run(address, size);
    drain();
    for (int i = stages.length - 1; i >= 0; i--) {
      stages[i].forCpu(offset, size, deviceWrote);
    }
  }

  private void drain() {
    for (final Stage stage : stages) {
      stage.drain();
    }
  }

  private long run(final long address, final long size) {
    final long offset = size < 1 ? -1 : ram.offset(address, size);
    if (offset < 0) {
      throw new IllegalArgumentException(
          size + " bytes at 0x" + Long.toHexString(address) + " are not all in one RAM range");
    }
    return offset;
  }

  @Override
  public MemorySegment uncached() {
    return deviceView;
  }

  /** Another virtual mapping of whole lines of RAM. */
  public VirtualAlias alias(final long address, final long size) {
    if (caches == null) {
      throw new IllegalStateException("there are no caches to have aliases in");
    }
    if (((address | size) & (LineMemory.LINE - 1)) != 0) {
      throw new IllegalArgumentException("an alias is of whole lines");
    }
    return caches.alias(run(address, size), size);
  }

  /** All RAM as devices see it behind the cipher. */
  public MemorySegment deviceView() {
    return deviceView;
  }

  /** What a session sees of memory that it addresses the wrong way, or null without a cipher. */
  public @Nullable CipherRuns cipherRuns() {
    return cipher == null ? null : new CipherRuns(cipher, deviceView);
  }

  /** A device accesses memory: time passes. */
  public void accessed() {
    if (caches != null) {
      caches.accessed();
    }
  }

  /** Whether what a device sees depends on which pages are shared. */
  public boolean encrypts() {
    return cipher != null;
  }

  /** Pages are shared, by their number in RAM. */
  public void share(final long first, final long count) {
    if (cipher != null) {
      cipher.share(first, count);
    }
  }

  /** Pages are private again, by their number in RAM. */
  public void unshare(final long first, final long count) {
    if (cipher != null) {
      cipher.unshare(first, count);
    }
  }

  /** What the stages did. */
  public PlatformCounters counters() {
    return caches == null
        ? PlatformCounters.NONE
        : caches.counters(
            queue == null ? 0 : queue.queued(), queue == null ? 0 : queue.overflowed());
  }

  /** The stages in words. */
  public String text() {
    return List.of(stages).stream().map(Stage::text).collect(Collectors.joining(", "));
  }
}
