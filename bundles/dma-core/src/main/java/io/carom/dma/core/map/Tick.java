package io.carom.dma.core.map;

/** A coarse clock for the age of mappings: read on the map path, where a real one is too dear. */
public final class Tick {
  private int millis;

  /** At 0. */
  public Tick() {}

  /** Milliseconds since the core started, as of its last tick; racy reads are a little old. */
  public int millis() {
    return millis;
  }

  /** Moves the clock. By the core's timer only. */
  public void set(final int value) {
    millis = value;
  }
}
