package io.carom.virtio.device.net;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.net.NetCounters.Drop;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueHandler;

/**
 * Serves one transmit queue (virtio 1.4, section Packet Transmission): reads a frame once, into
 * memory of the device, and gives it to the switch. A frame that is too short, too long, or has a
 * header that makes no sense is dropped and counted; its chain is returned like any other.
 */
final class TxQueue implements QueueHandler {
  private final NetDevice device;
  private final int pair;
  private final boolean checksums;
  private final int mostBytes;
  private final Frame frame = new Frame();
  private final byte[] header = new byte[NetDescriptor.HEADER_SIZE];
  private boolean held;

  /**
   * A handler for one negotiation.
   *
   * @param mostBytes of a frame
   */
  TxQueue(final NetDevice device, final int pair, final long accepted, final int mostBytes) {
    this.device = device;
    this.pair = pair;
    this.mostBytes = mostBytes;
    checksums = (accepted & VirtioFeatures.NET_CSUM) != 0;
  }

  @Override
  public void handle(final DescriptorChain chain) {
    final boolean again = held;
    held = false;
    final long length = chain.readableBytes() - NetDescriptor.HEADER_SIZE;
    if (length < NetDescriptor.ETHERNET_HEADER) {
      device.counters().drop(Drop.TX_SHORT);
      return;
    }
    if (length > mostBytes) {
      device.counters().drop(Drop.TX_OVERSIZE);
      return;
    }
    final int bytes = (int) length; // at most mostBytes
    chain.reader().get(header, 0, header.length);
    frame.prepare(bytes);
    chain.reader().get(frame.bytes, 0, bytes);
    if (headerIsFine()) {
      held = !device.transmit(pair, frame, again);
    } else {
      device.counters().drop(Drop.TX_BAD_HEADER);
    }
  }

  @Override
  public boolean holds() {
    return held;
  }

  /** Looks at the header, and takes what it says of the checksum; no segmentation is offered. */
  private boolean headerIsFine() {
    if (header[NetDescriptor.HEADER_GSO_TYPE] != NetDescriptor.GSO_NONE) {
      return false;
    }
    if ((header[NetDescriptor.HEADER_FLAGS] & NetDescriptor.F_NEEDS_CSUM) == 0) {
      return true;
    }
    return checksums
        && frame.partial(
            half(NetDescriptor.HEADER_CSUM_START), half(NetDescriptor.HEADER_CSUM_OFFSET));
  }

  private int half(final int at) {
    return (header[at] & 0xff) | (header[at + 1] & 0xff) << 8;
  }
}
