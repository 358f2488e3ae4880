package io.carom.guest.shim.block;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.RegionSizing;

/**
 * What a request needs beside its data, in coherent memory that the device always reaches, so that
 * a request costs one mapping, that of its data.
 *
 * <pre>
 *    0 │ request header (16)          │ status (8) │ unused       │
 *   32 │ indirect table: header, data, status (3 x 16)             │
 *  128 │ id string (20)                                           │
 * </pre>
 */
final class ControlBlock {
  static final int HEADER = 0;
  static final int STATUS = BlkDescriptor.REQUEST_HEADER;
  static final int TABLE = 32;
  static final int ID = 128;
  static final int BYTES = RegionSizing.CONTROL_BLOCK_BYTES;

  private ControlBlock() {}
}
