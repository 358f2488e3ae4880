package io.carom.virtio.device.net;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.ChainCursor;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueHandler;
import java.util.function.IntConsumer;

/**
 * Serves the control queue (virtio 1.4, section Control Virtqueue). What it does not know, or what
 * is out of range or of another length, is answered with an error and changes nothing. A request
 * without a writable byte has nowhere to put an answer, and the device needs a reset.
 */
final class ControlRequests implements QueueHandler {
  private final long accepted;
  private final int mostPairs;
  private final IntConsumer usePairs;
  private final byte[] bytes = new byte[NetDescriptor.CTRL_HEADER + Short.BYTES];

  /**
   * A handler for one negotiation.
   *
   * @param usePairs told the number of pairs that the driver wants
   */
  ControlRequests(final long accepted, final int mostPairs, final IntConsumer usePairs) {
    this.accepted = accepted;
    this.mostPairs = mostPairs;
    this.usePairs = usePairs;
  }

  @Override
  public void handle(final DescriptorChain chain) throws QueueException {
    if (chain.writableBytes() == 0) {
      throw new QueueException("a control request has no writable byte for its answer");
    }
    chain.writeLast((byte) (serve(chain) ? NetDescriptor.CTRL_OK : NetDescriptor.CTRL_ERR));
  }

  private boolean serve(final DescriptorChain chain) {
    // the only command there is has exactly these bytes
    if (chain.readableBytes() != bytes.length) {
      return false;
    }
    final ChainCursor reader = chain.reader();
    reader.get(bytes, 0, bytes.length);
    final int pairs = (bytes[2] & 0xff) | (bytes[3] & 0xff) << 8;
    if ((bytes[0] & 0xff) != NetDescriptor.CTRL_MQ
        || (bytes[1] & 0xff) != NetDescriptor.CTRL_MQ_PAIRS_SET
        || (accepted & VirtioFeatures.NET_MQ) == 0
        || pairs < 1
        || pairs > mostPairs) {
      return false;
    }
    usePairs.accept(pairs);
    return true;
  }
}
