package io.carom.virtio;

import java.util.List;
import java.util.Map;

/**
 * What there is to know of a virtio device, to be restored on one made alike. Nothing is being
 * served: chains that were taken and not returned are told by their heads, and are served again. It
 * says nothing about the contents of memory.
 *
 * @param version of this record's meaning; {@value #VERSION} is written. An older one is read with
 *     what it lacks at its value after a reset, a newer one is refused
 * @param type virtio device type
 * @param offered feature bits that were offered
 * @param accepted feature bits that were accepted
 * @param status device status bits
 * @param configVector MSI-X vector of configuration changes, 65535 for none
 * @param isr ISR bits
 * @param selects the registers that only select
 * @param config the configuration structure
 * @param queues the queues
 * @param backend the device type's own words and numbers, such as the position in its backend
 */
public record VirtioState(
    int version,
    int type,
    long offered,
    long accepted,
    int status,
    int configVector,
    int isr,
    Selects selects,
    byte[] config,
    List<QueueState> queues,
    Map<String, String> backend) {
  /** The version that this code writes. */
  public static final int VERSION = 2;

  /** Copies what can change. */
  public VirtioState {
    config = config.clone();
    queues = List.copyOf(queues);
    backend = Map.copyOf(backend);
  }

  /** A copy of the configuration structure. */
  @Override
  public byte[] config() {
    return config.clone();
  }

  /**
   * The registers that say which part of something other registers show.
   *
   * @param deviceFeature which offered features
   * @param driverFeature which accepted features
   * @param queue which queue
   */
  public record Selects(int deviceFeature, int driverFeature, int queue) {
    /** As after a reset. */
    public static final Selects NONE = new Selects(0, 0, 0);
  }

  /**
   * One queue.
   *
   * @param size entries
   * @param enabled whether the driver enabled it
   * @param vector MSI-X vector, 65535 for none
   * @param desc address of the descriptor area, as the driver wrote it
   * @param driver address of the driver area
   * @param device address of the device area
   * @param nextAvail split: the next available index; packed: place in the ring, and the wrap
   *     counter in bit 15
   * @param nextUsed split: the used index; packed: place in the ring, and the wrap counter in bit
   *     15
   * @param inFlight heads (split) or buffer ids (packed) that were taken and not returned, oldest
   *     first; since version 2
   */
  public record QueueState(
      int size,
      boolean enabled,
      int vector,
      long desc,
      long driver,
      long device,
      int nextAvail,
      int nextUsed,
      List<Integer> inFlight) {
    /** Copies the list. */
    public QueueState {
      inFlight = List.copyOf(inFlight);
    }

    /** A queue with nothing in flight. */
    public QueueState(
        final int size,
        final boolean enabled,
        final int vector,
        final long desc,
        final long driver,
        final long device,
        final int nextAvail,
        final int nextUsed) {
      this(size, enabled, vector, desc, driver, device, nextAvail, nextUsed, List.of());
    }
  }
}
