package io.carom.guest.shim.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.PageCacheInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Timeout;

/**
 * The cache against a map of sectors: readers and writers through the cache and past it, a disk
 * that fails at times, a lender that wants its pages back at random and another one in its place,
 * and a ceiling that moves. Whoever uses sectors claims them, as disks' users do; neighbours in a
 * page are in other hands. Each byte that is read is compared.
 */
class CacheModelTest {
  private static final int SECTORS = 8 * 40 + 3; // the last page is short
  private static final int OPERATIONS = 1500;
  private static final int WORKERS = 4;

  private final Map<Integer, byte[]> model = new ConcurrentHashMap<>();
  private final AtomicIntegerArray claims = new AtomicIntegerArray(SECTORS);
  private final AtomicBoolean ended = new AtomicBoolean();

  @RepeatedTest(4)
  @Timeout(120)
  void everyByteIsRightWhateverMoves(final RepetitionInfo round) throws Exception {
    final long seed = Long.getLong("carom.seed", 4711L) + round.getCurrentRepetition();
    try (CachedWorld world = new CachedWorld(10, 16, SECTORS * 512L).lending()) {
      final long before = world.freePages();
      final Random faults = new Random(seed);
      world.disk.fate =
          (request, number) -> {
            synchronized (faults) {
              return faults.nextInt(100) == 0 ? BlockStatus.IO_ERROR : BlockStatus.OK;
            }
          };
      world.disk.delay =
          () -> {
            final int length;
            synchronized (faults) {
              length = faults.nextInt(3) == 0 ? faults.nextInt(300_000) : 0;
            }
            LockSupport.parkNanos(length);
          };
      run(world, seed);
      final PageCacheInfo info = world.cache.info();
      System.out.println("seed " + seed + ": " + info);
      assertThat(info.hits()).isPositive();
      assertThat(info.misses()).isPositive();
      assertThat(info.migrated()).isPositive();
      assertThat(info.dropped()).isPositive();
      world.disk.fate = (request, number) -> BlockStatus.OK;
      for (int sector = 0; sector < SECTORS; sector++) {
        compare(world.read(world.buffered, sector, 512), sector, seed);
        compare(world.read(world.disk, sector, 512), sector, seed);
      }
      world.cache.close();
      world.lender.check();
      assertThat(world.lender.lentPages()).isZero();
      assertThat(world.lender.violations.get()).as("-Dcarom.seed=%d", seed).isZero();
      assertThat(world.freePages()).isEqualTo(before);
    }
  }

  private void run(final CachedWorld world, final long seed) throws Exception {
    final ExecutorService threads = Executors.newCachedThreadPool();
    try {
      final Future<?> mover = threads.submit(() -> move(world, new Random(seed * 31)));
      final List<Future<?>> workers = new ArrayList<>();
      for (int i = 0; i < WORKERS; i++) {
        final Random random = new Random(seed * 101 + i);
        workers.add(threads.submit(() -> work(world, random, seed)));
      }
      for (final Future<?> worker : workers) {
        worker.get();
      }
      ended.set(true);
      mover.get();
    } catch (final ExecutionException e) {
      throw new AssertionError("-Dcarom.seed=" + seed + ": " + e.getCause(), e);
    } finally {
      ended.set(true);
      threads.shutdown();
    }
  }

  private void move(final CachedWorld world, final Random random) {
    final FakeLender other = new FakeLender(world.pages, world.memory, 0);
    while (!ended.get()) {
      switch (random.nextInt(40)) {
        case 0 -> world.lender.open = !world.lender.open;
        case 1 -> world.cache.bindLender(other);
        case 2, 3 -> world.cache.bindLender(world.lender);
        case 4 -> world.cache.unbindLender(world.lender);
        case 5 -> world.cache.ceiling(random.nextInt(8));
        default -> world.lender.wantBackOne(random);
      }
      LockSupport.parkNanos(random.nextInt(200_000));
    }
    world.lender.open = true;
  }

  private void work(final CachedWorld world, final Random random, final long seed) {
    for (int i = 0; i < OPERATIONS; i++) {
      final int count = 1 + random.nextInt(random.nextInt(4) == 0 ? 40 : 8);
      final int first = random.nextInt(SECTORS - count + 1);
      if (!claim(first, count)) {
        Thread.yield();
        continue;
      }
      final BlockDevice disk = random.nextInt(8) == 0 ? world.disk : world.buffered;
      if (random.nextInt(3) == 0) {
        write(world, disk, first, count, random);
      } else {
        read(world, disk, first, count, seed);
      }
      release(first, count);
    }
  }

  private void write(
      final CachedWorld world,
      final BlockDevice disk,
      final int first,
      final int count,
      final Random random) {
    final byte[] bytes = new byte[count * 512];
    random.nextBytes(bytes);
    if (world.write(disk, first, bytes) != BlockStatus.OK) {
      return; // the disk failed and wrote nothing: the old content it is
    }
    for (int i = 0; i < count; i++) {
      model.put(first + i, Arrays.copyOfRange(bytes, i * 512, (i + 1) * 512));
    }
  }

  private void read(
      final CachedWorld world,
      final BlockDevice disk,
      final int first,
      final int count,
      final long seed) {
    final byte[] bytes = new byte[count * 512];
    if (world.transfer(disk, BlockOp.READ, first, bytes) != BlockStatus.OK) {
      return;
    }
    for (int i = 0; i < count; i++) {
      compare(Arrays.copyOfRange(bytes, i * 512, (i + 1) * 512), first + i, seed);
    }
  }

  private void compare(final byte[] found, final int sector, final long seed) {
    final byte[] expected = model.getOrDefault(sector, new byte[512]);
    if (!Arrays.equals(found, expected)) {
      throw new AssertionError(
          "-Dcarom.seed="
              + seed
              + ": sector "
              + sector
              + " differs from byte "
              + Arrays.mismatch(found, expected));
    }
  }

  private boolean claim(final int first, final int count) {
    for (int i = 0; i < count; i++) {
      if (!claims.compareAndSet(first + i, 0, 1)) {
        release(first, i);
        return false;
      }
    }
    return true;
  }

  private void release(final int first, final int count) {
    for (int i = 0; i < count; i++) {
      claims.set(first + i, 0);
    }
  }
}
