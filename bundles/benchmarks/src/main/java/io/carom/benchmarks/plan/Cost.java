package io.carom.benchmarks.plan;

/**
 * What a task costs: time that does not depend on the plan, and stretches whose length the plan
 * sets. The fixed part is an estimate for a machine of two processors; what it gets wrong is made
 * up for by the tasks that follow.
 *
 * @param fixedNs start of the JVM, warming up, pools and mappings to be made
 * @param units stretches
 */
public record Cost(long fixedNs, double units) {
  /** Stretches of a round with copies: maps and replays by one and two threads, hot copies half. */
  static final double COPY_ROUND = 5;

  /** Stretches of a round without copies: maps by one and two threads, arithmetic half. */
  static final double BARE_ROUND = 3;

  /** Workloads of a comparison with the fixed strategy. */
  static final int PAIR_CASES = 3;

  private static final long MS = 1_000_000;
  private static final long JVM_NS = 500 * MS;
  private static final long FIRST_WARM_UP_NS = 400 * MS;
  private static final long GROUP_NS = 130 * MS;
  private static final long FAILING_NS = 350 * MS;
  private static final long LOOKUP_NS = 350 * MS;
  private static final long NS_PER_LIVE = 1_000;
  private static final long PAIR_CASE_NS = 350 * MS;

  static Cost of(final Task task) {
    final int rounds = task.rounds();
    return switch (task.kind()) {
      case CATALOG -> new Cost(JVM_NS, 0);
      case ROWS ->
          new Cost(
              JVM_NS
                  + FIRST_WARM_UP_NS
                  + GROUP_NS * task.groups().size()
                  + FAILING_NS * task.failingPools().size(),
              rounds * (task.copy() ? COPY_ROUND : BARE_ROUND) * task.groups().size()
                  + rounds * task.failingPools().size());
      case LOOKUP ->
          new Cost(
              JVM_NS
                  + LOOKUP_NS * task.live().size()
                  + NS_PER_LIVE * task.live().stream().mapToLong(Long::longValue).sum(),
              2.0 * rounds * task.live().size());
      case PAIRS -> new Cost(JVM_NS + PAIR_CASE_NS * PAIR_CASES, 2.0 * task.pairs() * PAIR_CASES);
    };
  }

  Cost plus(final Cost other) {
    return new Cost(fixedNs + other.fixedNs, units + other.units);
  }
}
