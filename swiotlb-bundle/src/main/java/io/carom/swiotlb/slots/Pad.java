package io.carom.swiotlb.slots;

/**
 * A cache line of nothing before the fields of a class that one stripe writes all the time, so that
 * no object of another stripe lies in the same line.
 */
public abstract class Pad {
  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad0;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad1;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad2;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad3;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad4;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad5;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad6;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad7;

  /** For the classes that need it. */
  protected Pad() {}
}
