package io.carom.dma.core.pool;

/** Keeps what precedes a stripe in memory off its cache line, and off the adjacent one. */
@SuppressWarnings({"unused", "UnusedVariable"})
abstract class StripePad {
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

  StripePad() {}
}
