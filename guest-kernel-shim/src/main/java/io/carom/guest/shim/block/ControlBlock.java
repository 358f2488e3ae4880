package io.carom.guest.shim.block;

import io.carom.virtio.BlkDescriptor;

/**
 * What a request needs beside its data, in coherent memory that the device always reaches, so that
 * a request costs one mapping, that of its data.
 *
 * <pre>
 *    0 │ request header (16)          │ status (8) │ unused       │
 *   32 │ id string (20), or a range (16) that is discarded or zeroed │
 * </pre>
 */
final class ControlBlock {
  static final int HEADER = 0;
  static final int STATUS = BlkDescriptor.REQUEST_HEADER;
  static final int ID = 32;
  static final int RANGE = 32;
  static final int BYTES = 64;

  private ControlBlock() {}
}
