package io.carom.guest;

import org.osgi.annotation.versioning.ConsumerType;

/** Receives a line of progress a second while a workload runs. Must not block. */
@ConsumerType
@FunctionalInterface
public interface FioProgress {
  /** No progress wanted. */
  FioProgress SILENT = line -> {};

  /** One line such as {@code vda: 3.0s [randrw] 123456 IOPS, 482 MiB/s, 0 corrupt}. */
  void line(String text);
}
