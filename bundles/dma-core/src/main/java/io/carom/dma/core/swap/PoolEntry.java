package io.carom.dma.core.swap;

import io.carom.dma.core.memory.ExtentSource;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A pool of the {@link PoolStore}, and where it comes from. */
final class PoolEntry {
  final Pool pool;
  volatile Choice choice; // but for its service, which may go, it never changes
  final @Nullable Object owner;
  final @Nullable ExtentSource source;
  final Runnable ending;
  final List<Generation> drained = new ArrayList<>(); // guarded by the store
  final ReentrantLock filling = new ReentrantLock();
  volatile boolean over; // written under both

  /** Whether it does not serve yet, and is granted no more than what others leave. */
  volatile boolean early;

  PoolEntry(
      final Pool pool,
      final Choice choice,
      final @Nullable Object owner,
      final @Nullable ExtentSource source,
      final Runnable ending) {
    this.pool = pool;
    this.choice = choice;
    this.owner = owner;
    this.source = source;
    this.ending = ending;
  }
}
