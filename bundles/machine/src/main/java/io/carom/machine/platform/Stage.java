package io.carom.machine.platform;

/**
 * One thing that lies between CPUs and devices. What a stage has no part in it passes on as it is.
 *
 * <p>Runs of RAM are given by their offset in it; they were checked against RAM. Thread-safe.
 */
interface Stage {
  /**
   * A step from a guest-physical address to a bus address.
   *
   * @param address where the run is after the stages before this one
   * @param offset of the run in RAM
   * @param size bytes, at least 1
   * @param shared whether it is bounce or coherent memory
   * @return where it is after this one, or -1
   */
  default long toBus(
      final long address, final long offset, final long size, final boolean shared) {
    return address;
  }

  /** The step back; stages are asked in the reverse order. Any address may come. */
  default long toPhysical(final long address, final long size) {
    return address;
  }

  /** The device gets a run. */
  default void forDevice(
      final long offset, final long size, final boolean deviceReads, final boolean deviceWrites) {}

  /** The CPU gets a run back. */
  default void forCpu(final long offset, final long size, final boolean deviceWrote) {}

  /** The device accesses some memory: time passes, in which a cache does as it likes. */
  default void accessed() {}

  /** The platform's own barrier: no write that was made is under way any more. */
  default void drain() {}

  /** For the one line that tells how the machine was built. */
  String text();
}
