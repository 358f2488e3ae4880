package io.carom.guest;

import org.osgi.annotation.versioning.ConsumerType;

/** Receives a line of progress now and then. Must not block. */
@ConsumerType
@FunctionalInterface
public interface DmaBenchProgress {
  /** No progress wanted. */
  DmaBenchProgress SILENT = line -> {};

  /** One line. */
  void line(String text);
}
