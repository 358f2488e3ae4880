package io.carom.guest.shim.virtio;

import io.carom.dma.DmaFence;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Fences a device on the kernel's work thread, where all its resets are.
 *
 * <p>The answer is given once, by the reset or by the end of the time. A reset that has not begun
 * by then is not made: nobody waits for it, and it would cost the device its requests for nothing.
 * One that has goes on, and its answer counts for nothing.
 */
final class WorkFence implements DmaFence {
  private final Executor work;
  private final Consumer<Consumer<Boolean>> reset;

  /**
   * A fence.
   *
   * @param reset has the device reset, its requests ended and their buffers unmapped, then says
   *     whether the reset was complete, and has the device start again
   */
  WorkFence(final Executor work, final Consumer<Consumer<Boolean>> reset) {
    this.work = work;
    this.reset = reset;
  }

  @Override
  public boolean fence(final Duration timeout) {
    final CompletableFuture<Boolean> answer = new CompletableFuture<>();
    work.execute(
        () -> {
          if (answer.isDone()) {
            return;
          }
          try {
            reset.accept(answer::complete);
          } finally {
            answer.complete(false); // it gave none
          }
        });
    try {
      return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (final TimeoutException e) {
      return !answer.complete(false) && answer.join();
    } catch (final ExecutionException e) {
      throw new IllegalStateException("nobody fails it", e);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      answer.complete(false);
      return false;
    }
  }
}
