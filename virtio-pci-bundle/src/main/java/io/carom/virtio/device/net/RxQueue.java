package io.carom.virtio.device.net;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.net.NetCounters.Drop;
import io.carom.virtio.device.queue.ChainCursor;
import io.carom.virtio.device.queue.ChainSupply;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.EventSender;
import io.carom.virtio.device.queue.Filler;
import io.carom.virtio.device.queue.QueueException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One receive queue (virtio 1.4, sections Processing of Incoming Packets and Setting Up Receive
 * Buffers): frames that wait, and how one is put into the driver's buffers. The waiting ones may be
 * offered by any thread; filling is the delivery's.
 *
 * <p>All that concerns a frame and the features happens inside {@link #fill}, in a bus section: no
 * reset comes between looking at them and giving the buffers back.
 */
final class RxQueue implements Filler {
  /** What came of the last {@link #fill}. */
  enum Outcome {
    /** There was no frame. */
    EMPTY,
    /** The driver has a frame more, once the buffers are its. */
    DELIVERED,
    /** The frame fits no buffers that the driver may be expected to give, and is gone. */
    DROPPED,
    /** The frame goes on waiting. */
    NO_BUFFER
  }

  private final NetDevice device;
  private final int queueSize;
  private final RxBacklog backlog = new RxBacklog();
  private final byte[] header = new byte[NetDescriptor.HEADER_SIZE];
  private final List<DescriptorChain> chains = new ArrayList<>();
  private Outcome outcome = Outcome.EMPTY;

  /** What the last filling put into buffers. */
  private @Nullable Frame given;

  /** Whether there was no buffer, and none was said to have come since. */
  private volatile boolean blocked;

  RxQueue(final NetDevice device, final int queueSize) {
    this.device = device;
    this.queueSize = queueSize;
  }

  RxBacklog backlog() {
    return backlog;
  }

  boolean blocked() {
    return blocked;
  }

  void blocked(final boolean value) {
    blocked = value;
  }

  Outcome outcome() {
    return outcome;
  }

  /** A filling is about to begin; it may not come to {@link #fill} at all. */
  void begin() {
    outcome = Outcome.NO_BUFFER;
    given = null;
  }

  /**
   * The buffers of the last filling are the driver's: until then its frame was to wait for another
   * try, by the next code if need be.
   */
  void delivered() {
    final Frame frame = given;
    if (frame != null) {
      device.received(frame);
      backlog.remove(frame);
    }
  }

  @Override
  public boolean fill(final ChainSupply supply) throws QueueException {
    final Frame frame = backlog.peek();
    if (frame == null) {
      outcome = Outcome.EMPTY;
      return false;
    }
    final long accepted = device.accepted();
    final int total = NetDescriptor.HEADER_SIZE + frame.length;
    final boolean mergeable = (accepted & VirtioFeatures.NET_MRG_RXBUF) != 0;
    chains.clear();
    long room = 0;
    while (room < total) {
      final DescriptorChain chain = supply.next();
      if (chain == null) {
        // a driver that has all of its buffers with us can give no more
        return chains.size() >= Math.min(queueSize, EventSender.MOST_CHAINS)
            ? dropped(frame, Drop.RX_OVERSIZE)
            : waits();
      }
      final long bytes = chain.writableBytes();
      if (bytes < NetDescriptor.HEADER_SIZE) {
        throw new QueueException(
            "a receive buffer of "
                + bytes
                + " writable bytes has no room for a header of "
                + NetDescriptor.HEADER_SIZE);
      }
      if (!mergeable && bytes < total) {
        return dropped(frame, Drop.RX_OVERSIZE);
      }
      chains.add(chain);
      room += bytes; // each at most 2^32, and at most 64 of them
    }
    header(frame, (accepted & VirtioFeatures.NET_GUEST_CSUM) != 0);
    write(frame);
    given = frame;
    outcome = Outcome.DELIVERED;
    return true;
  }

  private boolean waits() {
    outcome = Outcome.NO_BUFFER;
    return false;
  }

  private boolean dropped(final Frame frame, final Drop why) {
    backlog.remove(frame);
    device.counters().drop(why);
    outcome = Outcome.DROPPED;
    return false;
  }

  /** A partial checksum is passed on to a driver that takes it, and completed for others. */
  private void header(final Frame frame, final boolean guestChecksums) {
    Arrays.fill(header, (byte) 0);
    if (frame.csumStart != Frame.NO_CSUM && guestChecksums) {
      header[NetDescriptor.HEADER_FLAGS] = NetDescriptor.F_NEEDS_CSUM;
      half(NetDescriptor.HEADER_CSUM_START, frame.csumStart);
      half(NetDescriptor.HEADER_CSUM_OFFSET, frame.csumOffset);
    } else {
      frame.complete();
    }
    half(NetDescriptor.HEADER_NUM_BUFFERS, chains.size());
  }

  private void half(final int at, final int value) {
    header[at] = (byte) value;
    header[at + 1] = (byte) (value >>> 8);
  }

  private void write(final Frame frame) {
    int done = 0;
    for (int i = 0; i < chains.size(); i++) {
      final DescriptorChain chain = chains.get(i);
      final ChainCursor writer = chain.writer();
      int written = 0;
      if (i == 0) {
        writer.put(header, 0, header.length);
        written = header.length;
      }
      final int bytes = (int) Math.min(frame.length - done, writer.remaining());
      writer.put(frame.bytes, done, bytes);
      done += bytes;
      chain.wrote(written + bytes);
    }
  }
}
