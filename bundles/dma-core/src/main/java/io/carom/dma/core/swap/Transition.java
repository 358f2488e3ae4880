package io.carom.dma.core.swap;

import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.pool.Generation;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A swap that is going on: what is wanted, where it stands, and what it has measured so far.
 *
 * <p>Which of the two generations drains, and whether that is over, is one reference that changes
 * by compare-and-set: so of a cancel and the end of the drain exactly one succeeds.
 */
final class Transition {
  /**
   * A drain.
   *
   * @param leaving the generation that drains
   * @param staying the one that was published in its place
   * @param startNs when that was
   * @param deadlineNs until when it may drain
   * @param over whether it is too late to take it back
   */
  record Drain(
      Generation leaving, Generation staying, long startNs, long deadlineNs, boolean over) {}

  final DeviceDma device;
  final @Nullable Choice choice;
  final long drainMs;
  final SwapPolicy policy;
  final long startNs;
  final long atMs;
  final CompletableFuture<SwapReport> done = new CompletableFuture<>();

  /** What a user wants with it from now on, or null when the core itself decided. */
  final @Nullable Target wish;

  /** What was wanted before; guarded by the control's monitor. */
  @Nullable Target wantedBefore;

  volatile String cause;
  volatile String state = "READY";
  volatile @Nullable Generation from;
  volatile @Nullable Generation to;

  /** Whether the grace is over: no map can begin any more in what drains, and all are seen. */
  volatile boolean settled;

  volatile boolean cancelled;

  long publishedNs;
  long readyNs;
  long publishNs;
  long graceNs;
  long liveAtPublish;
  long moved;
  long failedBefore;
  long lentBefore;
  private final AtomicReference<@Nullable Drain> drain = new AtomicReference<>();
  private final Set<String> notes = new LinkedHashSet<>(); // guarded by itself

  /**
   * Requested at {@code startNs}; a null choice means none.
   *
   * @param wish what a user wants, or null
   */
  Transition(
      final DeviceDma device,
      final @Nullable Choice choice,
      final @Nullable Target wish,
      final long drainMs,
      final SwapPolicy policy,
      final long startNs,
      final String cause,
      final long atMs) {
    this.device = device;
    this.choice = choice;
    this.wish = wish;
    this.drainMs = drainMs;
    this.policy = policy;
    this.startNs = startNs;
    this.cause = cause;
    this.atMs = atMs;
  }

  String toName() {
    return choice == null ? "none" : choice.ref().name();
  }

  String fromName() {
    return nameOf(from);
  }

  static String nameOf(final @Nullable Generation generation) {
    return generation == null || generation.strategy == null ? "none" : generation.strategy;
  }

  /** What drains now, or null when nothing was published yet. */
  @Nullable Drain drain() {
    return drain.get();
  }

  /** The first drain begins. */
  void begin(final Drain first) {
    drain.set(first);
  }

  /** Another drain takes the place of one; false when that is over, or was replaced before. */
  boolean turn(final Drain before, final Drain next) {
    return !before.over && drain.compareAndSet(before, next);
  }

  /** Ends a drain for good; false when another has taken its place. */
  boolean close(final Drain before) {
    return drain.compareAndSet(
        before, new Drain(before.leaving, before.staying, before.startNs, before.deadlineNs, true));
  }

  /** The generation that its end is still to be seen to, or null. */
  @Nullable Generation lookedAfter() {
    final Drain now = drain.get();
    return now == null ? from : now.leaving;
  }

  /** Notes for the report what went otherwise than it should, or null; the same is noted once. */
  void note(final @Nullable String text) {
    synchronized (notes) {
      if (text != null) {
        notes.add(text);
      }
    }
  }

  /** All notes, or null. */
  @Nullable String note() {
    synchronized (notes) {
      return notes.isEmpty() ? null : String.join("; ", notes);
    }
  }
}
