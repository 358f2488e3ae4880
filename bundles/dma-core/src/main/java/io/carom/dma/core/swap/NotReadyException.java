package io.carom.dma.core.swap;

import org.jspecify.annotations.Nullable;

/** A strategy did not get ready; nothing was changed. */
final class NotReadyException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final transient StrategyRef ref;

  NotReadyException(
      final StrategyRef ref, final @Nullable String why, final @Nullable Throwable cause) {
    super("strategy " + ref.name() + " is not ready: " + why, cause);
    this.ref = ref;
  }

  /** The strategy. */
  StrategyRef ref() {
    return ref;
  }
}
