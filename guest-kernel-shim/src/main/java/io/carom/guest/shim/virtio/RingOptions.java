package io.carom.guest.shim.virtio;

/**
 * What was negotiated, as far as a ring depends on it.
 *
 * @param eventIndex EVENT_IDX: each side says at which entry it wants to be told
 * @param indirect INDIRECT_DESC: a chain may lie in a table of its own
 * @param inOrder IN_ORDER: the device uses buffers in the order in which it got them
 * @param wireBase what is taken off a bus address before the device gets to see it: the start of
 *     the region where addresses on the wire are offsets into it, else 0
 */
public record RingOptions(boolean eventIndex, boolean indirect, boolean inOrder, long wireBase) {
  /** Nothing negotiated. */
  public static final RingOptions NONE = new RingOptions(false, false, false, 0);

  /** These options with EVENT_IDX. */
  public RingOptions withEventIndex() {
    return new RingOptions(true, indirect, inOrder, wireBase);
  }

  /** These options with INDIRECT_DESC. */
  public RingOptions withIndirect() {
    return new RingOptions(eventIndex, true, inOrder, wireBase);
  }

  /** These options with IN_ORDER. */
  public RingOptions withInOrder() {
    return new RingOptions(eventIndex, indirect, true, wireBase);
  }

  /** These options with addresses on the wire that count from a base. */
  public RingOptions withWireBase(final long base) {
    return new RingOptions(eventIndex, indirect, inOrder, base);
  }
}
