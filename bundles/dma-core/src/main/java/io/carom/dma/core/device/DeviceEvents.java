package io.carom.dma.core.device;

/** What a device tells the core that manages it. */
public interface DeviceEvents {
  /** Features were negotiated: the strategy may have to change before the first map. */
  void negotiated(DeviceDma device);

  /** The device is closed. */
  void closed(DeviceDma device);
}
