package io.carom.iommu.pool.bounce;

/**
 * Keeps the fields of a subclass off the cache line of what precedes the object in memory, and off
 * the adjacent one, which the hardware fetches with it.
 */
@SuppressWarnings({"unused", "UnusedVariable"})
public abstract class Padded {
  private long pad00;
  private long pad01;
  private long pad02;
  private long pad03;
  private long pad04;
  private long pad05;
  private long pad06;
  private long pad07;
  private long pad08;
  private long pad09;
  private long pad10;
  private long pad11;
  private long pad12;
  private long pad13;
  private long pad14;
  private long pad15;

  /** Padding only. */
  protected Padded() {}
}
