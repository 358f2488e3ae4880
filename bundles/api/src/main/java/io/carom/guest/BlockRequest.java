package io.carom.guest;

import org.jspecify.annotations.Nullable;

/**
 * One request to a block device. Filled in by the submitter, used by the driver until {@link
 * Completion#completed} is called, then the submitter's again: make it once and use it again.
 */
public final class BlockRequest {
  /** What to do. */
  public BlockOp op = BlockOp.READ;

  /** First 512-byte sector. */
  public long sector;

  /** Guest-physical address of the buffer; unused without one. */
  public long buffer;

  /** Bytes, a multiple of 512; 0 for FLUSH. */
  public int length;

  /** Called when the request has ended, on a worker of the driver: must not block. */
  public Completion completion = (request, status) -> {};

  /** For the submitter. */
  public @Nullable Object context;

  /** {@code System.nanoTime()} at submission, set by the block layer. */
  public long submittedNs;

  /** How often it was requeued because no mapping was to be had; set by the block layer. */
  public int requeues;

  /** Link for queues of the driver that holds the request. */
  public @Nullable BlockRequest next;

  /** An empty request. */
  public BlockRequest() {}

  /** Receives the end of a request. */
  @FunctionalInterface
  public interface Completion {
    /** The request has ended and is the submitter's again. */
    void completed(BlockRequest request, BlockStatus status);
  }
}
