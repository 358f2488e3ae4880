package io.carom.virtio;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A type of virtio device, as the transport sees it: what it offers, its configuration structure,
 * and a handler for each queue. It knows neither PCI nor how a ring is laid out. Register it as an
 * OSGi service, and the transport makes a virtio-pci function of it; unregister it, and the
 * function is taken out.
 *
 * <p>Service properties: {@value #NAME} (required, unique), {@value #SLOT} (optional, such as
 * {@code 00:01.0}).
 *
 * <p>The invariant that the transport keeps: a queue's handler is only called between acceptance of
 * the features that it was opened with and the next reset, by one thread at a time.
 */
@ConsumerType
public interface VirtioModel {
  /** Service property: the device's name. */
  String NAME = "io.carom.virtio.name";

  /** Service property: the wanted PCI slot. */
  String SLOT = "io.carom.virtio.slot";

  /**
   * Service property, {@code Boolean}: whether what the model knows outlives its service, so that
   * the next one of that name goes on from it. Then the end of the service is not told to the
   * driver: the function keeps its slot and the transport its state for a while, see {@link
   * io.carom.pci.PciFunction#KEEP}, and a request that was taken and not returned is handled again.
   * A model that goes for good says so by {@link VirtioModelContext#leaving} before.
   */
  String KEEP = "io.carom.virtio.keep";

  /** Virtio device type id. */
  int type();

  /** Its name, such as {@code iommu}. */
  String typeName();

  /** PCI class code of its functions, 24 bits. */
  int classCode();

  /** Offered features of the device type; none of the transport's or the ring's. */
  long features();

  /** Number of queues, at least 1. */
  int queues();

  /** Largest size of each queue. */
  int queueSize();

  /** The configuration structure as it is now. Called once, when the function is made. */
  byte[] config();

  /** A driver's write of 1, 2, 4 or 8 bytes to the configuration structure. */
  default void configWritten(final int offset, final int width, final long value) {}

  /**
   * Why a set of features cannot be worked with, such as one without what it depends on.
   *
   * @return the reason, or null when it is fine
   */
  default @Nullable String refuse(final long accepted) {
    return null;
  }

  /** Whether the IOMMU stands between the device and its rings; the IOMMU itself says no. */
  default boolean translated() {
    return true;
  }

  /**
   * Whether requests of a queue are served on the guest's thread, inside its doorbell write, as by
   * a VMM that handles the exit before it goes on with the guest; else a thread serves them. Each
   * is returned to the driver before the next one is handled, so that at most one is handled again
   * by who comes next.
   */
  default boolean servedAtDoorbell(final int queue) {
    return false;
  }

  /**
   * Whether a queue only takes buffers that the device fills when it has something to say; its
   * handler is not called.
   */
  default boolean eventQueue(final int queue) {
    return false;
  }

  /** The function is plugged in; before any other call but those that describe the device. */
  default void plugged(final VirtioModelContext context) {}

  /**
   * The handler of one queue, with the accepted features. Asked for another one, which takes the
   * place of the first, when a handler of the model threw: the request that it threw at is handled
   * again, and what it returned is not.
   */
  Handler open(int queue, long accepted);

  /**
   * The function is the one that was there before: its driver goes on and knows nothing. Follows
   * {@link #plugged}, before any request is handled. Where it is not called the driver begins anew.
   */
  default void resumed() {}

  /** The device was reset: no handler is running, and none that was opened is called again. */
  default void reset() {}

  /** The function is taken out, for good or until {@link #resumed}; no reset is told for that. */
  default void unplugged() {}

  /** Serves the requests of one queue. */
  @FunctionalInterface
  interface Handler {
    /**
     * Serves a request completely. One that is not a request at all is answered with no byte
     * written.
     */
    void handle(VirtioRequest request);

    /** A doorbell is served, or a thread that was idle goes on: the requests of a batch follow. */
    default void batchBegins() {}

    /**
     * The queue is empty for now. Follows each {@link #batchBegins}, on the same thread, whatever
     * became of the requests in between; with a queue that is served at its doorbell, before the
     * driver's write returns.
     */
    default void batchEnds() {}
  }
}
