package io.carom.bench;

import org.osgi.annotation.versioning.ConsumerType;

/** Receives lines for people while a benchmark runs. Must not block. */
@ConsumerType
@FunctionalInterface
public interface BenchProgress {
  /** No progress wanted. */
  BenchProgress SILENT = line -> {};

  /** One line such as {@code swiotlb-fixed, copied: 12 of 48 rows}. */
  void line(String text);
}
