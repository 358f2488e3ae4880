package io.carom.benchmarks.plan;

import java.util.ArrayList;
import java.util.List;

/** Which tasks a run of the benchmark of virtqueues and block devices consists of. */
public final class VirtioPlan {
  /** Ring layouts. */
  public static final List<String> LAYOUTS = List.of("split", "packed");

  /** Rounds of a figure at least. */
  public static final int ROUNDS = 7;

  /** Rounds of disks: what is compared lies close together then, whatever else the machine does. */
  static final int DISK_ROUNDS = 3 * ROUNDS;

  /** What a run takes, with the container's start and a margin in 55 s. */
  public static final long SECONDS = 47;

  private VirtioPlan() {}

  /** The tasks, each for a JVM of its own: so that no layout spoils what is known of the other. */
  public static List<VirtioTask> tasks(final boolean ring, final boolean blk, final long seed) {
    final List<VirtioTask> tasks = new ArrayList<>();
    if (ring) {
      for (final String layout : LAYOUTS) {
        tasks.add(new VirtioTask(VirtioTask.Kind.RING, layout, ROUNDS, 0, seed));
      }
    }
    if (blk) {
      tasks.add(new VirtioTask(VirtioTask.Kind.BLK, "", DISK_ROUNDS, 0, seed));
    }
    return tasks;
  }
}
