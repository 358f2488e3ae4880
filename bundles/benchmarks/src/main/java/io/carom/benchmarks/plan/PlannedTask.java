package io.carom.benchmarks.plan;

/**
 * A part of a run, as it is planned and told of.
 *
 * @param <T> the kind of task
 */
public interface PlannedTask<T extends PlannedTask<T>> extends Costed {
  /** The same with another length of its stretches, in nanoseconds. */
  T withUnit(long ns);

  /** In a few words, for people. */
  String title();
}
