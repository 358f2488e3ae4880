package io.carom.guest.shim.block;

import io.carom.guest.BlockDevice;

/** A disk that tells of its writes. */
public interface WatchedDisk extends BlockDevice {
  /** Where to ask to be told. */
  WriteWatch watch();
}
