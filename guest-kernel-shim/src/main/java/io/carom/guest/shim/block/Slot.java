package io.carom.guest.shim.block;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.guest.BlockStatus;
import org.jspecify.annotations.Nullable;

/** One place in flight: a control block, its descriptors, and the part of a request in it. */
final class Slot {
  /** Number of the slot, and its token in the queue. */
  final int index;

  /** Offset of its control block. */
  final long control;

  /** The transfer it serves; null while free. */
  @Nullable Transfer transfer;

  /** Whether the device has it. */
  boolean inDevice;

  /** Data bytes. */
  int bytes;

  /** Where the device sees the data; MAPPING_ERROR while nothing is mapped. */
  long bus = DmaDevice.MAPPING_ERROR;

  DmaDirection direction = DmaDirection.FROM_DEVICE;

  /** Bytes that the device may write: data of a read, and the status. */
  long writable;

  BlockStatus result = BlockStatus.OK;

  Slot(final int index, final long control) {
    this.index = index;
    this.control = control;
  }
}
