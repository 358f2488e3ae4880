package io.carom.virtio.device.type;

import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.queue.QueueMode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A device type, as the transport sees it: what it offers, its configuration structure, and a
 * handler for each queue. It knows neither PCI nor how a ring is laid out.
 *
 * <p>The invariant that the transport keeps: a queue's handler is only called between acceptance of
 * the features that it was opened with and the next reset, by one thread at a time.
 */
public interface DeviceType extends AutoCloseable {
  /** Virtio device type id. */
  int id();

  /** Its name, such as {@code blk}. */
  String typeName();

  /** PCI class code of a function of this type, 24 bits. */
  int classCode();

  /** Offered features of the device type; none of the transport's or the ring's. */
  long features();

  /** Number of queues, at least 1. */
  int queues();

  /** Largest size of each queue. */
  int queueSize();

  /** Its configuration structure. */
  ConfigSpace config();

  /**
   * Why a set of features cannot be worked with, such as one without what it depends on.
   *
   * @return the reason, or null when it is fine
   */
  default @Nullable String refuse(final long accepted) {
    return null;
  }

  /**
   * The driver's features are accepted, FEATURES_OK is set. Called once for each negotiation, on
   * the guest's thread, after {@link #refuse} found nothing against them; a reset takes them back.
   * After {@link #restore} it is called too, with what the driver of the saved state had accepted,
   * or 0 when that had not come to FEATURES_OK.
   */
  default void negotiated(final long accepted) {}

  /** Whether the IOMMU stands between the device and memory, for a driver that can work so. */
  default boolean translated() {
    return true;
  }

  /** Who serves a queue. The handler of one of mode {@code EVENTS} is not asked for. */
  default QueueMode mode(final int queue) {
    return QueueMode.WORKER;
  }

  /** The function is plugged in; nothing else was called since it was unplugged. */
  default void plugged(final DeviceLink link) {}

  /** Whether a field may be written before FEATURES_OK, as a console's emergency write. */
  default boolean alwaysWritable(final int offset, final int width) {
    return false;
  }

  /**
   * A driver's write to the configuration structure, from FEATURES_OK on or where {@link
   * #alwaysWritable}; ignored unless the type has such fields.
   */
  default void configWritten(final int offset, final int width, final long value) {}

  /** The handler of one queue, with the accepted features; another one after code of it threw. */
  QueueHandler open(int queue, long accepted);

  /**
   * The driver rang the doorbell of a queue of mode {@code EVENTS}: there may be new buffers.
   * Called on the guest's thread; whatever takes long goes elsewhere.
   */
  default void buffersAdded(final int queue) {}

  /** The device was reset: no handler is running, and none that was opened is called again. */
  default void reset() {}

  /** The function is taken out; the link is dead. */
  default void unplugged() {}

  /** Requests served since it was made. */
  long requests();

  /** What it stands on, in words. */
  String backend();

  /** What it would need to go on where it is, in words and numbers of its own; at rest. */
  default Map<String, String> save() {
    return Map.of();
  }

  /**
   * Goes on from what {@link #save} said, of this version of the code or an older one, in the place
   * of all that it has: it may be at rest, and not only as after a reset. Until {@link
   * #negotiated}, which follows, it does not know the features that the state stands for.
   *
   * @throws IllegalArgumentException with one line, when it cannot; it is as it was before
   */
  default void restore(final Map<String, String> saved) {}

  /**
   * What of {@link #save} holds while it is served, to be kept by the machine for a next version of
   * this code, should this one hang: nothing that a request changes. Any thread.
   */
  default Map<String, String> words() {
    return save();
  }

  /**
   * What the next version of this code goes on from, which takes the place of this one: as {@link
   * #save}, and what it says is not this one's any more. At rest, before {@link #unplugged}.
   */
  default Map<String, String> handOver() {
    return save();
  }

  /**
   * Goes on in the place of a version of this code that was made of the same configuration, or of
   * one that the driver need not know to be another; as {@link #restore} otherwise.
   *
   * @throws IllegalArgumentException with one line, when it cannot; it is as it was before
   */
  default void resume(final Map<String, String> kept) {
    restore(kept);
  }

  /** Gives its resources back. */
  @Override
  void close();
}
