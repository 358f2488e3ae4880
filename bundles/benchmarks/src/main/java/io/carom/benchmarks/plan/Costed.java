package io.carom.benchmarks.plan;

/** What costs time, in a budget. */
public interface Costed {
  /** What it costs. */
  Cost cost();
}
