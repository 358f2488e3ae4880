package io.carom.guest.shim.pci;

/** A driver for PCI functions. Called on the kernel's work thread. */
public interface PciDriver {
  /** Its name, as {@code lspci} prints it. */
  String name();

  /** Whether it drives functions of these ids. */
  boolean matches(int vendorId, int deviceId);

  /**
   * Whether functions of these ids are probed before, and let go after, others that are found or
   * removed with them: an IOMMU stands before the devices that it translates for.
   */
  default boolean early(final int vendorId, final int deviceId) {
    return false;
  }

  /**
   * Starts to drive a function whose memory decoding is on.
   *
   * @throws ProbeException when it cannot; it has undone what it had begun
   */
  Binding probe(PciDevice device) throws ProbeException;

  /** A function that is driven. */
  interface Binding {
    /**
     * Ends the driving; bounded in time.
     *
     * @param gone whether the function is not there any more
     */
    void remove(boolean gone);

    /** Mappings of its buffers that live. Any thread. */
    default long liveMappings() {
      return 0;
    }

    /**
     * Has the function rest, and touches it no more until it is resumed.
     *
     * @throws IllegalStateException with one line, when it cannot
     */
    default void suspend() {
      throw new IllegalStateException("its driver cannot suspend it");
    }

    /**
     * Has a function that rests go on.
     *
     * @throws IllegalStateException with one line, when it cannot
     */
    default void resume() {
      throw new IllegalStateException("its driver cannot suspend it");
    }
  }
}
