package io.carom.dma.core.swap;

import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.pool.Generation;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A swap that is going on: what is wanted, where it stands, and what it has measured so far. */
final class Transition {
  final DeviceDma device;
  final @Nullable Choice choice;
  final long drainMs;
  final SwapPolicy policy;
  final long startNs;
  final String cause;
  final long atMs;
  final CompletableFuture<SwapReport> done = new CompletableFuture<>();

  volatile String state = "READY";
  volatile @Nullable Generation from;
  volatile @Nullable Generation to;
  long publishedNs;
  long readyNs;
  long publishNs;
  long graceNs;
  long liveAtPublish;
  long moved;
  long failedBefore;
  long lentBefore;

  /** Requested at {@code startNs}; a null choice means none. */
  Transition(
      final DeviceDma device,
      final @Nullable Choice choice,
      final long drainMs,
      final SwapPolicy policy,
      final long startNs,
      final String cause,
      final long atMs) {
    this.device = device;
    this.choice = choice;
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
    final Generation generation = from;
    return generation == null || generation.strategy == null ? "none" : generation.strategy;
  }
}
